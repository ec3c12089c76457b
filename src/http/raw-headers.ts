/** Header fields as they came, in order and unmerged: name, value, name, value. */
export type RawHeaders = readonly string[]
