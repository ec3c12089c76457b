/** One stretch of text: which features stand in it, and what it is. */
export interface Sample {
  readonly features: Int32Array
  readonly isAttack: boolean
  readonly weight: number
}

export interface Regression {
  readonly bias: number
  /** By feature; those that weigh nothing are left out. */
  readonly weights: ReadonlyMap<number, number>
}

export interface Strengths {
  /** How much has to speak for a feature before it weighs anything (L1). */
  readonly sparseness: number
  /** How much large weights are held back (L2). */
  readonly restraint: number
  readonly epochs: number
}

/**
 * Logistic regression by follow-the-regularised-leader (McMahan and others, “Ad Click Prediction: a View from the Trenches”,
 * 2013): most weights end at nothing, and what is left can be read.
 */
export function regress(
  samples: readonly Sample[],
  { sparseness, restraint, epochs }: Strengths,
  random: () => number,
): Regression {
  const indexes = new Map<number, number>()
  for (const { features } of samples)
    for (const feature of features) if (!indexes.has(feature)) indexes.set(feature, indexes.size + 1)
  const z = new Float64Array(indexes.size + 1)
  const n = new Float64Array(indexes.size + 1)
  const rows = samples.map(({ features }) => Int32Array.from(features, (feature) => indexes.get(feature) as number))
  const order = Int32Array.from(samples, (_, at) => at)

  function weightOf(at: number): number {
    const from = z[at] as number
    // Index 0 is the bias, which is not held back.
    const l1 = at === 0 ? 0 : sparseness
    if (Math.abs(from) <= l1) return 0
    return -(from - Math.sign(from) * l1) / ((1 + Math.sqrt(n[at] as number)) / pace + (at === 0 ? 0 : restraint))
  }

  function learn(at: number, gradient: number): void {
    const squares = n[at] as number
    const sigma = (Math.sqrt(squares + gradient * gradient) - Math.sqrt(squares)) / pace
    z[at] = (z[at] as number) + gradient - sigma * weightOf(at)
    n[at] = squares + gradient * gradient
  }

  for (let epoch = 0; epoch < epochs; epoch++) {
    shuffle(order, random)
    for (const at of order) {
      const row = rows[at] as Int32Array
      const { isAttack, weight } = samples[at] as Sample
      let sum = weightOf(0)
      for (const index of row) sum += weightOf(index)
      const gradient = weight * (1 / (1 + Math.exp(-sum)) - (isAttack ? 1 : 0))
      if (Math.abs(gradient) < 1e-4) continue
      learn(0, gradient)
      for (const index of row) learn(index, gradient)
    }
  }
  const weights = new Map<number, number>()
  for (const [feature, index] of indexes) {
    const weight = weightOf(index)
    if (weight !== 0) weights.set(feature, weight)
  }
  return { bias: weightOf(0), weights }
}

const pace = 0.12

function shuffle(order: Int32Array, random: () => number): void {
  for (let at = order.length - 1; at > 0; at--) {
    const other = Math.floor(random() * (at + 1))
    const kept = order[at] as number
    order[at] = order[other] as number
    order[other] = kept
  }
}
