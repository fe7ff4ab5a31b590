/**
 * Tools that say who they are. Clients that honest programs use as well, such as curl, python-requests and
 * Go-http-client, are none.
 */
const agents =
  /\b(?:sqlmap|nikto|nuclei|wpscan|gobuster|feroxbuster|dirbuster|dirsearch|ffuf|wfuzz|masscan|zgrab|nmap scripting engine|nessus|openvas|acunetix|netsparker|invicti|arachni|w3af|whatweb|joomscan|commix|xsstrike|jaeles|httpx - open-source|censysinspect|zmeu|morfeus|skipfish|vega\/|burp ?suite|owasp ?zap|hydra)\b/i

// `Mozilla/5.0 (` and the letter of a platform, as every browser writes it: they need no closer look.
const browserStart = 'Mozilla/5.0 ('
const platforms = 'WMXiLA'

/** Whether a user agent is that of a scanner which says its name. */
export function isScannerAgent(userAgent: string): boolean {
  if (userAgent === '') return false
  if (userAgent.startsWith(browserStart) && platforms.includes(userAgent.charAt(browserStart.length)))
    return false
  return agents.test(userAgent)
}

/**
 * Paths that only scanners ask a Holdfast application for: files of secrets, of version control and of programs that
 * are written in something else. None is an asset that browsers look for by themselves.
 */
const paths: readonly RegExp[] = [
  // Secrets that were deployed by mistake.
  /^\/(?:[\w-]{1,30}\/){0,3}\.env(?:[.~_-]\w{1,12})?$/,
  /^\/(?:\.aws\/credentials|\.ssh\/|\.docker\/config\.json|\.npmrc$|\.htpasswd|id_rsa|credentials\.json$)/,
  // Version control, with all of the source in it.
  /^\/(?:[\w-]{1,30}\/){0,2}\.(?:git|svn|hg)(?:\/|$)/,
  /^\/\.(?:ds_store|vscode\/|idea\/)/,
  // PHP: nothing here is written in it.
  /\.php\d?$/,
  /^\/(?:wp-(?:admin|login|content|includes|json)|wordpress|xmlrpc|phpmyadmin|pma|adminer|vendor\/phpunit)/,
  // Java, ASP, and consoles of servers.
  /\.(?:aspx?|jsp|jspx|cfm|cgi|do|action)$/,
  /^\/(?:actuator|manager\/html|jenkins|solr\/|console\/|invoker\/|struts|_ignition|telescope\/|server-status|cgi-bin\/)/,
  /^\/(?:hnap1|boaform|gponform|setup\.cgi|goform\/|sdk$|owa\/|autodiscover\/|ecp\/|remote\/(?:login|fgt_lang))/,
  // Backups, by the names that people give them.
  /^\/(?:backup|dump|db|database|site|www|web|public_html|\w{1,20})\.(?:sql|bak|tar\.gz|tgz|zip|rar|7z|old)(?:\.gz)?$/,
]

/** Whether a path is one that only scanners ask for. @param path Without its query, in lower case. */
export function isScannerPath(path: string): boolean {
  return paths.some((pattern) => pattern.test(path))
}
