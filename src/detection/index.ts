export { createDetection, type Detection, type DetectionParts } from './detection.ts'
export type { Allowance, Detector, Escalation } from './detector.ts'
export { type DetectorName, detectors, isDetectorName } from './detectors.ts'
export type { Finding, FindingSubject, ResponseName } from './finding.ts'
export {
  DetectionFault,
  type DetectionMode,
  type DetectionOptionFault,
  type DetectionOptions,
  type DetectorOptions,
  detectionOptionFaults,
  detectorNames,
  type Honeytokens,
} from './options.ts'
export { SharedBook } from './shared-book.ts'
export type { Weekday, WorkingHours } from './working-hours.ts'
