export type { Finding, FindingSubject, ResponseName } from './finding.ts'
