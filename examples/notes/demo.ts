import { randomBytes } from 'node:crypto'
import type { Server } from 'holdfast'

/** Makes two people with some notes and a share, over HTTP as a client would, and prints what to try. */
export async function showDemo(server: Server, address: string): Promise<void> {
  // Made anew each time: nobody can log in with a password that stands in a repository.
  const password = `demo-${randomBytes(9).toString('base64url')}`
  const suffix = randomBytes(3).toString('hex')
  const join = async (name: string): Promise<{ id: string; token: string; email: string }> => {
    const email = `${name}-${suffix}@example.com`
    const id = await server.createAccount({ email, name, password, roles: [] })
    const reply = await call('', 'POST', '/api/auth/login', { email, password })
    return { id, email, token: memberOf(reply, 'accessToken') }
  }

  const call = async (token: string, method: string, path: string, body?: unknown): Promise<unknown> => {
    const response = await fetch(address + path, {
      method,
      headers: {
        ...(token === '' ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    return response.status === 204 ? undefined : await response.json()
  }
  const note = async (token: string, title: string, text: string): Promise<string> =>
    memberOf(await call(token, 'POST', '/api/notes', { title, body: text }), 'id')

  const ann = await join('ann')
  const ben = await join('ben')
  const secret = await note(ann.token, 'Birthday', 'A surprise for Ben. He must not see this.')
  const shared = await note(ann.token, 'Shopping', 'Bread, tea, lemons.')
  await note(ben.token, 'Garden', 'Sow the beans.')
  await call(ann.token, 'PUT', `/api/notes/${shared}/shares/${ben.id}`, { permission: 'read' })

  process.stdout.write(
    `  Ann has two notes and shares one with Ben. Both log in with the password ${password}\n` +
      `  as ${ann.email} and ${ben.email}. Their tokens, good for ten minutes:\n\n` +
      `    export ANN='${ann.token}'\n    export BEN='${ben.token}'\n\n` +
      `    # Ben reads what Ann shares, and may not change it: 200, then 404\n` +
      `    curl -i -H "Authorization: Bearer $BEN" ${address}/api/notes/${shared}\n` +
      `    curl -i -X PATCH -H "Authorization: Bearer $BEN" -H 'Content-Type: application/json' -d '{"title":"Mine"}' ${address}/api/notes/${shared}\n\n` +
      `    # Ben asks for the note that is not his: the same 404 as for one that does not exist\n` +
      `    curl -i -H "Authorization: Bearer $BEN" ${address}/api/notes/${secret}\n\n` +
      `    # Ann tries to give a note to somebody else by naming its owner: 400, the key is not declared\n` +
      `    curl -i -H "Authorization: Bearer $ANN" -H 'Content-Type: application/json' -d '{"title":"x","body":"y","ownerId":"${ben.id}"}' ${address}/api/notes\n\n` +
      `    # Ann ends all her sessions: 204, and from then on her token is refused\n` +
      `    curl -i -X POST -H "Authorization: Bearer $ANN" ${address}/api/auth/logout-everywhere\n\n`,
  )
}

function memberOf(value: unknown, name: string): string {
  return typeof value === 'object' && value !== null ? String(Reflect.get(value, name)) : ''
}
