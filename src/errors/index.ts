export { CATALOGUE, type ProblemCode, type ProblemEntry } from './catalogue.ts'
export {
  type InputFault,
  Problem,
  type ProblemBody,
  type ProblemDetails,
  problemBody,
  problemType,
} from './problem.ts'
