// The allocator of docs/CREDIT.md as a pure state machine: no clock, no timers, no sockets, no allocation per frame.
// Sizes are bytes of cost, times are seconds. O(1) amortised per frame, settlement, grant and wake-up.
const KiB = 1024, MiB = 1048576;
export const K = {
  sessions: 0,           // how many a node takes; 0: four fifths of the budget is set aside for them
  keep2: 16512,          // of the pool, for lane 2 alone
  press: 0.5,            // part of the pool beyond which windows shrink to what is needed
  target: 0.15,          // s, the queue in front of the log that saturation keeps
  perAppend: 4,          // the target is at least this many times the log's cost of one small append
  rtt0: 0.1, rttMax: 1.5, // s, round trip until the first Pong; longest believed
  tau: 0.5,              // s of busy time, memory of the drain rate
  stall: 1,              // s, one completion counts for at most this much busy time
  start: MiB, least: 64 * KiB,           // queue before the drain is known; amount in play never less than
  lane2: 0.5,            // lane 2 may fill this part of the queue
  trickle: 1 / 50,       // of the bytes granted to lane 1 while it waits
  lagFree: 0.05,         // s of event-loop delay that is ordinary
  rate0: 16 * KiB, half0: 0.5,           // lane 0: per device, and part of the drain in all
  full: 0.25,            // a completion tells the drain if this part of the wanted queue stood before it (or if it was faster)
  small: 8 * KiB, probe: 10,             // an append up to this size tells the cost of an append; one is forced after so many s
  gain: 2, appLimited: true, bl: true, expect: true, fresh: 0.5, wheel: true, rtt: true, capLane2: true, // switches, for ablation only
};
const SLOT = 0.016, SLOTS = 128;          // the wheel of expected arrivals: 2 s
const NONE = 0, RING0 = 1, RING1 = 2, RING2 = 3, PARKED = 4, TENANT = 5;
const UNKNOWN = 4294967295;

export class Lists { // intrusive FIFOs: a channel is in at most one
  constructor(next) { this.next = next; this.head = []; this.tail = []; this.len = []; }
  make() { this.head.push(-1); this.tail.push(-1); this.len.push(0); return this.head.length - 1; }
  push(l, i) { this.next[i] = -1; if (this.tail[l] < 0) this.head[l] = i; else this.next[this.tail[l]] = i; this.tail[l] = i; this.len[l]++; }
  shift(l) { const i = this.head[l]; if (i < 0) return -1; this.head[l] = this.next[i]; if (this.head[l] < 0) this.tail[l] = -1; this.len[l]--; return i; }
  unshift(l, i) { this.next[i] = this.head[l]; this.head[l] = i; if (this.tail[l] < 0) this.tail[l] = i; this.len[l]++; }
}

export class Credit {
  constructor(budget, raise, k = {}, cap = 1024) {
    this.k = { ...K, ...k }; this.raise = raise; this.pool = 0; this.sessions = this.k.sessions || Math.floor(0.8 * budget / 12352); this.size = budget - this.sessions * 12352;
    this.n = 0; this.free = []; this.alloc(cap); this.lists = new Lists(this.next);
    this.pipes = []; this.tenants = []; this.parked = []; for (let i = 0; i < SLOTS; i++) this.parked.push(this.lists.make()); this.slot = 0;
    this.grants = 0; this.draining = false;
  }
  alloc(cap) {
    const grow = (A, old) => { const a = new A(cap); if (old) a.set(old); return a; };
    for (const f of ['received', 'settled', 'limit', 'markRx', 'markAt', 'tokens', 'tokensAt']) this[f] = grow(Float64Array, this[f]);
    for (const f of ['window', 'backlog', 'deficit', 'one', 'reserve', 'rate', 'burst', 'paid']) this[f] = grow(Uint32Array, this[f]);
    this.next = grow(Int32Array, this.next); this.tenant = grow(Int32Array, this.tenant); this.weight = grow(Uint16Array, this.weight); this.rtt = grow(Float32Array, this.rtt);
    for (const f of ['lane', 'pipe', 'list', 'open_', 'heard']) this[f] = grow(Uint8Array, this[f]);
    this.cap = cap; if (this.lists) this.lists.next = this.next;
  }
  addPipe() { const L = this.lists; this.pipes.push({ queued: 0, coming: 0, wheel: new Float64Array(SLOTS), ring0: L.make(), ring1: L.make(), ring2: L.make(), N: this.k.start, M: this.k.target, D: this.k.start / this.k.target, base: 0, baseAt: 0, R: 0, lastDone: 0, busyFrom: 0, Q: this.k.start, T: this.k.target, owed2: 0, broke: 0, servedAt: 0, have0: 65536, at0: 0, lag: 0, stopped: false }); return this.pipes.length - 1; }
  addTenant(rate, burst, now) { this.tenants.push({ rate, burst, have: burst, at: now, list: this.lists.make() }); return this.tenants.length - 1; }
  over(i) { return Math.max(0, this.limit[i] - this.settled[i] - this.reserve[i]); }
  room() { return this.size - this.pool; }
  pressed() { return this.pool > this.k.press * this.size; }
  // ---- sessions
  open(lane, mf, carry, pipe, now, { rate = 0, burst = 0, tenant = -1, weight = 1 } = {}) {
    let i = this.free.pop(); if (i === undefined) { if (this.n === this.cap) this.alloc(this.cap * 2); i = this.n++; }
    const one = mf + 64, k = this.k;
    this.received[i] = 0; this.settled[i] = -carry; this.limit[i] = 0; this.markRx[i] = 0; this.markAt[i] = now; this.window[i] = this.pressed() ? one : 2 * one; this.backlog[i] = lane === 2 ? 0 : UNKNOWN; this.deficit[i] = 0; this.one[i] = one; this.reserve[i] = lane === 2 ? 0 : lane === 0 ? 2 * one : one;
    this.rtt[i] = k.rtt0; this.heard[i] = 0; this.lane[i] = lane; this.pipe[i] = pipe; this.open_[i] = 1; this.weight[i] = weight; this.tenant[i] = tenant; this.list[i] = NONE; this.next[i] = -1;
    this.rate[i] = lane === 0 ? k.rate0 : rate; this.burst[i] = lane === 0 ? 2 * one : Math.max(burst, 2 * one); this.tokens[i] = this.burst[i]; this.tokensAt[i] = now; this.paid[i] = 0;
    this.pool += this.over(i) - carry;      // what the earlier connections left in the pipeline is adopted
    this.want(i, now); return i;
  }
  close(i) { // unsettled bytes stay in the pool until they settle (orphan)
    this.pool += this.received[i] - this.settled[i] - this.over(i); this.open_[i] = 0;
    if (this.list[i] === NONE) this.free.push(i);
  }
  // ---- what happens
  frame(i, cost, bl, now) { // bl < 0: not told
    const r = this.received[i] += cost; if (this.lane[i] === 0) return;
    const p = this.pipes[this.pipe[i]]; if (p.queued <= 0) p.busyFrom = now; p.queued += cost;
    this.backlog[i] = bl >= 0 && this.k.bl ? Math.min(bl, UNKNOWN - 1) : UNKNOWN;
    const dt = now - this.markAt[i], loop = this.rtt[i] + p.T;               // twice what it used in its last round: a window that binds doubles
    if (dt >= loop) { this.window[i] = Math.max(this.pressed() ? this.one[i] : 2 * this.one[i], Math.min(p.Q, this.k.gain * (r - this.markRx[i]) / dt * loop)); this.markRx[i] = r; this.markAt[i] = now; }
    this.want(i, now);
  }
  said(i, bl, now) { this.backlog[i] = Math.min(bl, UNKNOWN - 1); this.want(i, now); }
  settle(i, cost, now, dup = false) {
    const o = this.over(i); this.settled[i] += cost; this.pool += this.over(i) - o;
    if (this.lane[i] > 0) this.pipes[this.pipe[i]].queued -= cost;
    if (dup) { if (this.rate[i]) this.tokens[i] += cost; const t = this.tenants[this.tenant[i]]; if (t) t.have += cost; }
    this.want(i, now);
  }
  orphan(pipe, lane, i, cost, now) { // a frame of a closed connection settled; i: its successor or -1
    if (lane > 0) this.pipes[pipe].queued -= cost;
    if (i < 0) { this.pool -= cost; return; }
    const o = this.over(i); this.settled[i] += cost; this.pool += this.over(i) - o; this.want(i, now);
  }
  hear(i, sample) { if (!this.k.rtt) return; const s = Math.min(sample, this.k.rttMax); this.rtt[i] = s < this.rtt[i] || !this.heard[i] ? s : (this.rtt[i] + s) / 2; this.heard[i] = 1; }
  // ---- how far a limit may go
  want(i, now) {
    if (this.list[i] !== NONE || !this.open_[i] || this.more(i) <= 0) return;
    const p = this.pipes[this.pipe[i]], l = this.lane[i];
    if (l === 0) { this.list[i] = RING0; this.lists.push(p.ring0, i); } else if (l === 2) { this.list[i] = RING2; this.lists.push(p.ring2, i); } else { this.list[i] = RING1; this.lists.push(p.ring1, i); }
  }
  more(i) {
    const s = this.settled[i], one = this.one[i];
    if (this.lane[i] === 0) return s + 2 * one - this.limit[i];
    const bl = this.backlog[i]; if (this.lane[i] === 2 && bl === 0) return 0;
    if (!this.pressed()) return s + this.window[i] - this.limit[i];
    const hold = Math.max(one, bl === UNKNOWN ? this.window[i] / 2 : bl);
    return Math.min(s + this.window[i], this.received[i] + hold) - this.limit[i];
  }
  has(i, now) { // tokens of the device and of its tenant
    let t = Infinity;
    if (this.rate[i]) { t = this.tokens[i] = Math.min(this.burst[i], this.tokens[i] + (now - this.tokensAt[i]) * this.rate[i]); this.tokensAt[i] = now; }
    if (this.tenant[i] >= 0) { const q = this.tenants[this.tenant[i]]; q.have = Math.min(q.burst, q.have + (now - q.at) * q.rate); q.at = now; t = Math.min(t, q.have + this.paid[i]); }
    return t;
  }
  grant(i, g, p, now) {
    const o = this.over(i), k = this.k; this.limit[i] += g; this.pool += this.over(i) - o; this.grants++;
    if (this.rate[i]) this.tokens[i] -= g; if (this.tenant[i] >= 0) { const x = Math.min(g, this.paid[i]); this.paid[i] -= x; this.tenants[this.tenant[i]].have -= g - x; }
    if (this.lane[i] > 0 && this.k.wheel) { const s = this.slot + Math.min(SLOTS - 1, 1 + Math.floor(this.rtt[i] / SLOT)); const bl = this.backlog[i], e = !k.expect ? g : bl !== UNKNOWN ? Math.min(g, bl) : this.received[i] > 0 ? g : g * k.fresh; p.wheel[s % SLOTS] += e; p.coming += e; p.R += (this.rtt[i] - p.R) * Math.min(1 / 16, g / p.D); }
    this.raise(i, this.limit[i]);
  }
  leave(i) { this.list[i] = NONE; this.deficit[i] = 0; if (this.paid[i] > 0) { this.tenants[this.tenant[i]].have += this.paid[i]; this.paid[i] = 0; } if (!this.open_[i]) this.free.push(i); }
  park(i, need, now, tenant = false) {
    const q = this.tenant[i] >= 0 ? this.tenants[this.tenant[i]] : null; this.deficit[i] = 0;
    if (tenant || q && q.have + this.paid[i] < need && !(this.rate[i] && this.tokens[i] < need)) { if (this.paid[i] > 0) { q.have += this.paid[i]; this.paid[i] = 0; } this.list[i] = TENANT; this.lists.push(q.list, i); return; }
    const wait = (need - this.tokens[i]) / this.rate[i]; this.list[i] = PARKED; this.lists.push(this.parked[(this.slot + 1 + Math.min(SLOTS - 2, Math.floor(wait / SLOT))) % SLOTS], i);
  }
  // ---- turns
  serve(now) { this.advance(now); for (const p of this.pipes) if (!p.stopped) this.servePipe(p, now); }
  advance(now) { // the wheels: bytes that should have arrived by now, channels that should have tokens by now
    const L = this.lists, to = Math.floor(now / SLOT);
    for (let n = Math.min(SLOTS, to - this.slot), s = to - n + 1; s <= to; s++) {
      for (const p of this.pipes) { p.coming -= p.wheel[s % SLOTS]; p.wheel[s % SLOTS] = 0; if (p.coming < 1e-6) p.coming = 0; }
      const l = this.parked[s % SLOTS]; let m = L.len[l]; while (m-- > 0) { const i = L.shift(l); this.leave(i); this.want(i, now); }
    }
    this.slot = Math.max(this.slot, to);
    for (const q of this.tenants) if (L.len[q.list] > 0) { q.have = Math.min(q.burst, q.have + (now - q.at) * q.rate); q.at = now; for (let h = q.have; L.len[q.list] > 0 && h >= this.one[L.head[q.list]];) { const i = L.shift(q.list); if (this.open_[i]) { h -= this.one[i]; q.have -= this.one[i]; this.paid[i] = this.one[i]; } this.list[i] = NONE; if (!this.open_[i]) this.leave(i); else { this.want(i, now); if (this.list[i] === NONE) this.leave(i); } } }
  }
  servePipe(p, now) {
    const k = this.k, L = this.lists;
    // lane 0: at once, while it is below its share of the drain
    { p.have0 = Math.min(k.half0 * p.D * p.T + 65536, p.have0 + (now - p.at0) * k.half0 * p.D); } p.at0 = now;
    let m = L.len[p.ring0];
    while (m-- > 0 && p.have0 > 0) {
      const i = L.shift(p.ring0); if (!this.open_[i]) { this.leave(i); continue; }
      const h = this.more(i), t = this.has(i, now), g = Math.floor(Math.min(h, t, this.most(i)));
      if (h <= 0) { this.leave(i); continue; }
      if (g > 0) { this.grant(i, g, p, now); p.have0 -= g; }
      if (this.limit[i] - this.received[i] < this.one[i] && h > g && this.most(i) > 0) this.park(i, Math.min(h - g, this.one[i]), now); else this.leave(i);
    }
    p.Q = Math.max(k.least, p.D * (p.T + p.R));
    let hold2 = false, broke = 0;
    const q2 = p.Q - (k.capLane2 ? (1 - k.lane2) * p.D * p.T : 0);
    for (;;) {
      const play = p.queued + p.coming + p.D * Math.max(0, p.lag - k.lagFree), one2 = !hold2 && L.len[p.ring2] > 0 && (L.len[p.ring1] === 0 ? play < q2 : p.owed2 >= 8256 && play < p.Q);
      const ring = one2 ? p.ring2 : p.ring1;
      if (!one2 && (L.len[p.ring1] === 0 || play >= p.Q)) break;
      const i = L.shift(ring); if (!this.open_[i]) { this.leave(i); continue; }
      const h = this.more(i); if (h <= 0) { this.leave(i); continue; }
      const one = this.one[i]; this.deficit[i] = Math.min(4e9, this.deficit[i] + one * this.weight[i]);
      if (this.tenant[i] >= 0 && this.paid[i] === 0 && L.len[this.tenants[this.tenant[i]].list] > 0) { this.park(i, UNKNOWN, now, true); continue; }   // its tenant's queue first
      const t = this.has(i, now), most = this.most(i); let g = Math.floor(Math.min(h, this.deficit[i], t, most));
      if (g < Math.min(h, one)) {
        if (t < Math.min(h, one)) { this.park(i, Math.min(h, one), now); continue; }              // its quota
        if (this.lane[i] === 2 && this.limit[i] - this.received[i] < one) { L.unshift(ring, i); hold2 = true; continue; }  // the budget: lane 2 reserves nothing, so it waits here
        if (g < 1) { this.deficit[i] -= one * this.weight[i]; L.push(ring, i); if (++broke > 8) break; continue; }   // the budget: it holds its reserve and waits for its turn
      }
      this.grant(i, g, p, now); this.deficit[i] -= g;
      if (one2) p.owed2 = Math.max(0, p.owed2 - g); else p.owed2 = Math.min(65536, p.owed2 + k.trickle * g);
      if (h > g) L.push(ring, i); else this.leave(i);
    }
    if (broke > 0 && p.broke > 0) p.owed2 = Math.min(65536, p.owed2 + k.trickle * p.D * (now - p.servedAt));   // live waits for memory, perhaps for ever: then 1/50 of D
    p.broke = broke; p.servedAt = now;
  }
  most(i) { return Math.max(0, this.settled[i] + this.reserve[i] - this.limit[i]) + Math.max(0, this.room() - (this.lane[i] === 2 ? 0 : this.k.keep2)); }
  // ---- the log
  appended(pipe, lane0, bytes, took, now) {
    const p = this.pipes[pipe], k = this.k;
    if (bytes <= k.small) { const x = Math.min(k.stall, took); p.base = p.baseAt === 0 || x < p.base ? x : p.base + (x - p.base) / 16; p.baseAt = now; p.T = Math.max(k.target, k.perAppend * p.base); }
    if (lane0) return;
    const dt = Math.max(1e-4, Math.min(k.stall, now - Math.max(p.lastDone, p.busyFrom))); p.lastDone = now;
    if (!k.appLimited || p.queued + bytes >= k.full * p.D * p.T || bytes / dt > p.D) { const w = Math.exp(-dt / k.tau); p.N = p.N * w + bytes; p.M = p.M * w + dt; p.D = p.N / p.M; }
  }
  batchLimit(pipe, now) { const p = this.pipes[pipe]; return now - p.baseAt > this.k.probe && p.queued > 4 * this.k.small ? this.k.small : Infinity; }
  late(pipe, lag) { this.pipes[pipe].lag = lag; }
  stop(pipe, v) { this.pipes[pipe].stopped = v; }
  why(i) { const p = this.pipes[this.pipe[i]]; if (this.list[i] === NONE) return 0; if (p.stopped) return 2; if (this.list[i] >= PARKED || this.lane[i] === 0) return 3; if (this.room() < this.one[i] && this.limit[i] - this.settled[i] >= this.reserve[i]) return 4; return 1; }
}

// adapter for the simulator
export class TurnsAlloc {
  constructor(k = {}) { this.kk = k; }
  get Q() { return this.C.pipes[0].Q; }
  attach(sim) { this.sim = sim; this.ls = []; this.C = new Credit(sim.budget, (i, lim) => sim.raise(this.ls[i], lim), { ...this.sim.credit, ...this.kk }); for (let i = 0; i < (sim.pipes ?? 1); i++) this.C.addPipe(); for (const t of sim.tenants ?? []) this.C.addTenant(t[0], t[1], 0); }
  open(L, bl, now) { const d = L.d; const i = this.peekIx(); this.ls[i] = L; L.ix = this.C.open(L.c, L.mf, L.carry, d.pipe ?? 0, now, { weight: L.weight, rate: L.c && d.quota ? d.quota.rate : 0, burst: L.c && d.quota ? d.quota.burst : 0, tenant: L.c ? d.tenant ?? -1 : -1 }); if (L.ix !== i) throw Error('ix'); }
  peekIx() { const C = this.C; return C.free.length ? C.free[C.free.length - 1] : C.n; }
  close(L) { this.C.close(L.ix); }
  frame(L, cost, bl, now) { this.C.frame(L.ix, cost, bl === undefined ? -1 : bl, now); L.bl = 0; }
  backlog(L, bl, now) { this.C.said(L.ix, bl, now); }
  settled(L, cost, now, dup) { this.C.settle(L.ix, cost, now, dup); }
  orphan(L, c, cost, now, pipe = 0) { this.C.orphan(pipe, c, L ? L.ix : -1, cost, now); }
  append(bytes, dur, oldest, min, now, cls, pipe = 0) { this.C.appended(pipe, cls === 0, bytes, dur, now); }
  batchCap(now, pipe = 0) { return this.C.batchLimit(pipe, now); }
  hear(L, x) { this.C.hear(L.ix, x); }
  serve(now) { if (this.sim.cpuFrame && !this.kk.nolag) this.C.late(0, Math.max(0, this.sim.cpuFree - now)); this.C.serve(now); }
  tick(now) { if (this.sim.cpuFrame && !this.kk.nolag) this.C.late(0, Math.max(0, this.sim.cpuFree - now)); this.C.serve(now); this.peakPool = Math.max(this.peakPool ?? 0, this.C.pool / this.C.size); }
}
