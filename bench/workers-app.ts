import { z } from 'zod'
import { createApp, per, words } from '../src/index.ts'

// One route that only computes, behind everything that a request passes. Its limits are counted and never reached.
const plenty = per('minute', 1_000_000_000)
const { route, signedIn, vocabulary } = words({
  resources: [],
  roles: ['admin'],
  limits: { plenty, auth: plenty },
})

const app = createApp({
  title: 'Workers',
  vocabulary,
  routes: [
    route(
      'GET /thing/:id',
      {
        access: signedIn(),
        params: z.strictObject({ id: z.uuid() }),
        output: z.strictObject({ id: z.uuid(), title: z.string(), body: z.string() }),
        limit: 'plenty',
      },
      ({ params }) => ({ id: params.id, title: 'A thing', body: 'x'.repeat(200) }),
    ),
  ],
})

type StartOptions = Parameters<typeof app.start>[0]

export default {
  ...app,
  async start(options: StartOptions) {
    const server = await app.start(options)
    if (options?.worker?.isFirst !== false)
      await server.createAccount({ email: 'ann@example.com', password: 'correct horse staple', roles: [] })
    process.stdout.write('ready\n')
    return server
  },
}
