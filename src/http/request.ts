declare module 'fastify' {
  interface FastifyRequest {
    /** The client's address, normalised; a trusted proxy's word is taken, nobody else's. */
    clientAddress: string
  }
}

export {}
