/** A quantity that a simulated device measures. */
export interface Quantity {
  readonly name: string;
  /** A SenML unit (RFC 8428 §12.1). */
  readonly unit: string;
  /** The value in the middle of the chart, and how far it swings to either side. */
  readonly middle: number;
  readonly swing: number;
  /** Digits after the point that such a sensor gives. */
  readonly digits: number;
}

const QUANTITIES: readonly Quantity[] = [
  { name: 'temp', unit: 'Cel', middle: 55, swing: 30, digits: 2 },
  { name: 'pressure', unit: 'Pa', middle: 250_000, swing: 120_000, digits: 0 },
  { name: 'flow', unit: 'l/s', middle: 8, swing: 6, digits: 3 },
  { name: 'power', unit: 'W', middle: 1500, swing: 1200, digits: 1 },
  { name: 'humidity', unit: '%RH', middle: 50, swing: 30, digits: 1 },
  { name: 'voltage', unit: 'V', middle: 230, swing: 8, digits: 2 },
  { name: 'current', unit: 'A', middle: 6, swing: 5, digits: 3 },
  { name: 'level', unit: 'm', middle: 2, swing: 1.5, digits: 3 },
  { name: 'speed', unit: 'm/s', middle: 1.2, swing: 1, digits: 3 },
  { name: 'frequency', unit: 'Hz', middle: 50, swing: 0.2, digits: 4 },
];

/** The i-th series of a device: the familiar ones first, then the same again with a number. */
export function quantityOf(index: number): Quantity {
  const quantity = QUANTITIES[index % QUANTITIES.length] as Quantity;
  const round = Math.floor(index / QUANTITIES.length) + 1;
  return round === 1 ? quantity : { ...quantity, name: `${quantity.name}/${round}` };
}
