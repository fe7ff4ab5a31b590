import { developmentUserId, type Server, testToken } from 'holdfast'

/** Makes two people with some notes and a share, over HTTP as a client would, and prints what to try. */
export async function showDemo(server: Server, address: string): Promise<void> {
  const ann = testToken(server.settings, { name: 'ann', roles: [] })
  const ben = testToken(server.settings, { name: 'ben', roles: [] })
  const benId = developmentUserId('ben')

  const call = async (token: string, method: string, path: string, body?: unknown): Promise<unknown> => {
    const response = await fetch(address + path, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    return response.status === 204 ? undefined : await response.json()
  }
  const note = async (token: string, title: string, text: string): Promise<string> => {
    const made = await call(token, 'POST', '/api/notes', { title, body: text })
    return typeof made === 'object' && made !== null && 'id' in made ? String(made.id) : ''
  }

  const secret = await note(ann, 'Birthday', 'A surprise for Ben. He must not see this.')
  const shared = await note(ann, 'Shopping', 'Bread, tea, lemons.')
  await note(ben, 'Garden', 'Sow the beans.')
  await call(ann, 'PUT', `/api/notes/${shared}/shares/${benId}`, { permission: 'read' })

  process.stdout.write(
    `  Ann has two notes and shares one with Ben. Try:\n\n` +
      `    export ANN='${ann}'\n    export BEN='${ben}'\n\n` +
      `    # Ben reads what Ann shares, and may not change it: 200, then 404\n` +
      `    curl -i -H "Authorization: Bearer $BEN" ${address}/api/notes/${shared}\n` +
      `    curl -i -X PATCH -H "Authorization: Bearer $BEN" -H 'Content-Type: application/json' -d '{"title":"Mine"}' ${address}/api/notes/${shared}\n\n` +
      `    # Ben asks for the note that is not his: the same 404 as for one that does not exist\n` +
      `    curl -i -H "Authorization: Bearer $BEN" ${address}/api/notes/${secret}\n\n` +
      `    # Ann tries to give a note to somebody else by naming its owner: 400, the key is not declared\n` +
      `    curl -i -H "Authorization: Bearer $ANN" -H 'Content-Type: application/json' -d '{"title":"x","body":"y","ownerId":"${benId}"}' ${address}/api/notes\n\n`,
  )
}
