export {
  type CodeLimits,
  codeProgram,
  describeCode,
  faultsOfCode,
  PROGRAM_STEP,
  type ReadCode,
  readDeclaration,
} from './declaration.ts'
export { stepProgram } from './step-program.ts'
