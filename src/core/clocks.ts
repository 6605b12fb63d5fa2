/** Three clocks that must not be mixed. The compiler keeps them apart; a plain number is a duration. */
declare const clock: unique symbol;
type Instant<C extends string> = number & { readonly [clock]: C };

/** Time in which we could listen. Our own stalls do not pass on it, so it is the only clock that may accuse a peer. */
export type Attentive = Instant<'attentive'>;
/** Monotonic milliseconds: promises to people, budgets, hysteresis. */
export type Mono = Instant<'mono'>;
/** The store's own clock: whatever nodes share. */
export type StoreMs = Instant<'store'>;

export const attentive = (ms: number): Attentive => ms as Attentive;
export const mono = (ms: number): Mono => ms as Mono;
export const storeMs = (ms: number): StoreMs => ms as StoreMs;
