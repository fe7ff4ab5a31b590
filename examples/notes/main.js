// In JavaScript, so that a start with a warm cache needs no compiler at all.
import { enableCompileCache } from 'node:module'
import { fileURLToPath } from 'node:url'

// What is compiled while the cache is on stays in memory, all of it, until the process ends. These two are large, little
// of them is needed, and compiling that little takes 15 ms.
await import('zod')
await import('kysely')

// Compiled code is kept between starts, in a folder of this project's own: one that other users of the machine can
// write, as the default is, would let them put code here.
enableCompileCache(fileURLToPath(new URL('../../node_modules/.cache/holdfast', import.meta.url)))

const { serve } = await import('./serve.ts')
await serve()
