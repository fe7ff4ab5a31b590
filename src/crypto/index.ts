export { type CursorPosition, type CursorValue, cursorMaxChars, openCursor, sealCursor } from './cursor.ts'
export { deriveKey, type KeyPurpose } from './derive-key.ts'
export { equalConstantTime, mac, sha256 } from './hash.ts'
export { randomToken, unguessableBytes } from './random.ts'
