import type { ChildOutcome, ChildTask, RunQuestion } from './protocol.ts'

/** One language, inside the child. */
export interface Interpreter {
  /** One run at a time. Resolves whatever the code does; where the interpreter is lost, `clean` is false. */
  run(question: RunQuestion, print: (output: string) => void): Promise<ChildOutcome>
}

/** Starts an interpreter, with its bridges gone, as far as it can be without any code to run. */
export type StartInterpreter = (task: ChildTask) => Promise<Interpreter>
