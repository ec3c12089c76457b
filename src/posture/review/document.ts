import type { Period } from './period.ts'

/** A review as data: what it says is said here once, and told as Markdown, HTML or JSON. */
export interface Review {
  readonly period: Period
  /** Milliseconds since the epoch. */
  readonly madeAt: number
  readonly sections: readonly Section[]
}

export interface Section {
  readonly id: string
  readonly title: string
  /** What a reader has to know to read it rightly. */
  readonly notes: readonly string[]
  readonly figures: readonly Figure[]
  readonly charts: readonly Chart[]
  readonly tables: readonly Table[]
}

/** One number, in this period and in the one before. */
export interface Figure {
  readonly name: string
  readonly now: number | string
  readonly before?: number | string
}

export interface Table {
  readonly title: string
  readonly columns: readonly string[]
  /** As it is stored: names that people chose stand in it. Whoever shows it escapes it. */
  readonly rows: readonly (readonly (string | number)[])[]
  /** What is said where there are no rows. */
  readonly empty: string
}

/** Bars beside each other, a group to a label. */
export interface Chart {
  readonly title: string
  readonly labels: readonly string[]
  readonly series: readonly { readonly name: string; readonly values: readonly number[] }[]
}

export function section(id: string, title: string, parts: Partial<Omit<Section, 'id' | 'title'>>): Section {
  return { id, title, notes: [], figures: [], charts: [], tables: [], ...parts }
}

/** The same as JSON: a stable shape. */
export function reviewJson({ period, madeAt, sections }: Review): Record<string, unknown> {
  const { name, label, begin, end, before, isOver } = period
  const times = (span: { readonly begin: number; readonly end: number }) => ({
    begin: new Date(span.begin).toISOString(),
    end: new Date(span.end).toISOString(),
  })
  return {
    period: { name, label, ...times({ begin, end }), before: times(before), over: isOver },
    made_at: new Date(madeAt).toISOString(),
    sections: sections.map((one) => ({ ...one, tables: one.tables.map(({ empty: _, ...table }) => table) })),
  }
}
