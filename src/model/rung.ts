/** How bad it is, a rung of the ladder: 0 calm … 4 log down. Source: DESIGN §9. */
export type Rung = 0 | 1 | 2 | 3 | 4;
