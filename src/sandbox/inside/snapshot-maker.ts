// Started once by the house, behind the same walls as a child: reads the task of the children to come, and writes the image that
// they shall start from to its standard output. No code of strangers is anywhere near.
import { createInterface } from 'node:readline'
import { childClock } from './clock.ts'
import type { ChildTask } from './protocol.ts'
import { imageBytes } from './python-image.ts'
import { compile, makeImage } from './python-maker.ts'

const lines = createInterface({ input: process.stdin })
for await (const line of lines) {
  const task = JSON.parse(line) as ChildTask
  for (const part of imageBytes(await makeImage(compile(task), task, childClock))) await written(part)
  break
}
process.stdin.destroy()

function written(part: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => process.stdout.write(part, (error) => (error ? reject(error) : resolve())))
}
