// A value that calls back at once, in the form in which aedes asks for promises. A real promise would call back later, and let a
// later message overtake; what overtakes is lost in aedes' duplicate check.

export function atOnce<T>(value: T): PromiseLike<T> {
  // oxlint-disable-next-line unicorn/no-thenable -- being called at once is the point
  return { then: (ok: ((value: T) => unknown) | null | undefined) => ok?.(value) } as PromiseLike<T>
}
