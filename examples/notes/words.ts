import { per, words } from 'holdfast'
import { Note, Share } from './tables.ts'

export const { route, open, signedIn, owns, vocabulary } = words({
  resources: [Note, Share],
  roles: ['admin'],
  limits: {
    read: per('minute', 300),
    write: per('minute', 60),
  },
})
