export { type JsonObject, openApiDocument, type ServerPlace } from './document.ts'
export { type PageParts, type ReferencePage, referencePage } from './page.ts'
export { costText, limitText } from './phrases.ts'
