// What Node makes of the sources is kept between runs: the tests start some two hundred processes of the same files.
// In a folder of our own, since whoever could write there could choose what runs.
import { enableCompileCache } from 'node:module'
import { join } from 'node:path'

const folder = join(import.meta.dirname, '../node_modules/.cache/compiled')
enableCompileCache(folder)
process.env.NODE_COMPILE_CACHE = folder // for those that the tests start
