import { findingText } from './finding.ts'
import { importFindings } from './imports.ts'
import { importablePackages } from './manifest.ts'
import { sourcesUnder } from './source.ts'

// The part of `npm run lint` that Biome has no rule for: which folder may import which.
const findings = importFindings(sourcesUnder('src'), importablePackages())
for (const finding of findings) console.error(findingText(finding))
if (findings.length > 0) {
  console.error(
    `\n${findings.length} ${findings.length === 1 ? 'import breaks' : 'imports break'} the rules of test/tidy/layers.ts`,
  )
  process.exitCode = 1
}
