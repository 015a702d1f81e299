/** `st` of a `state` message. Source: PROTOCOL §11.3. */
export const STATE = { reset: 0, live: 2, beat: 3, ended: 4 } as const;
