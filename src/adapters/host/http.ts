import type { IncomingMessage, ServerResponse } from 'node:http';
import { breach } from '../../model/errors.ts';
import type { Identity } from '../../model/identity.ts';
import { type Access, identify } from '../auth/access.ts';
import { type Answer, errorAnswer, jsonAnswer, refusalAnswer, SECURITY_HEADERS } from './answer.ts';
import { type Refusal, refusal, refusalOf } from './guard.ts';
import { type PageFile, readPageFiles } from './page-files.ts';
import { pathOf, targetOf } from './target.ts';

/** What `/readyz` says. Source: INTERFACE, serve. */
export interface Readiness {
  readonly ready: boolean;
  readonly log: { readonly kind: string; readonly state: string };
  /** Rung of the ladder, DESIGN §9. */
  readonly rung: number;
  /** Why not ready, in sentences; empty when ready. */
  readonly reasons: readonly string[];
}

/** What the HTTP side is made of. */
export interface HttpOptions {
  /** This node's name, for `/n/<node>/v1`. */
  readonly node: string;
  /** The port the server listens on, asked at each request: it is known only after `listen`. */
  readonly port: () => number;
  readonly ready: () => Readiness;
  /** The body of `/metrics`, in Prometheus' text format. */
  readonly metrics: () => Promise<string> | string;
  /** The figures of PROTOCOL §9, for `/api`. */
  readonly api: () => object;
  /** What the page shows of the node, for `/api/stats`. */
  readonly stats: () => object;
  /** Who may ask for what. */
  readonly access: Access;
  /** Told when an answer could not be made, which is our bug: 500, code 1011. */
  readonly onFault?: (error: unknown) => void;
}

type Listener = (request: IncomingMessage, response: ServerResponse) => void;
type Route = () => Answer | Promise<Answer>;

const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/**
 * The request listener of the gateway's HTTP server: the page and its files, health, metrics and
 * figures. Upgrades do not come here.
 *
 * Rejects: 403 by the guard of open mode; 401, 403 and 429 for figures without a token that may read
 * them, outside open mode; 426 for a WebSocket path without upgrade; 421 for another node's; 404;
 * 405 for anything but GET and HEAD. Bodies: `{"error","message"}`, see `answer.ts`.
 */
export function createHttp(options: HttpOptions): Listener {
  const files = readPageFiles();
  const routes = routesOf(options);
  const answerTo = async (request: IncomingMessage): Promise<Answer> => {
    const path = pathOf(request.url);
    const refused = await refusalFor(request, path, options);
    if (refused !== null) return refusalAnswer(refused);
    return (
      socketAnswer(path, options.node) ?? pathAnswer(request, files.get(path), routes.get(path))
    );
  };
  return (request, response) => {
    respond(request, response, answerTo).catch((error: unknown) => {
      options.onFault?.(error);
      if (response.headersSent) response.destroy();
      else
        send(request, response, errorAnswer(500, 1011, 'the gateway could not make this answer'));
    });
  };
}

/** What a token must allow for a path. Source: PROTOCOL §15, INTERFACE, token. */
const NEEDS: readonly {
  readonly path: RegExp;
  readonly isMet: (identity: Identity) => boolean;
  readonly lack: string;
}[] = [
  {
    path: /^\/api(?:\/|$)/,
    isMet: ({ reads }) => reads.length > 0,
    lack: 'this token has no read scope',
  },
  {
    path: /^\/metrics$/,
    isMet: ({ isMetricsReader }) => isMetricsReader,
    lack: 'this token has no metrics scope',
  },
];

/** Why a request is not served whatever the path holds, or null. */
async function refusalFor(
  request: IncomingMessage,
  path: string,
  { access, port }: HttpOptions,
): Promise<Refusal | null> {
  if (access.isOpen) return refusal(request, port());
  const need = NEEDS.find((one) => one.path.test(path));
  if (need === undefined) return null;
  const identity = await identify(access, request);
  if (identity === null) return refusalOf(breach(4003, 'a bearer token is needed here'));
  if ('code' in identity) return refusalOf(identity);
  return need.isMet(identity) ? null : refusalOf(breach(4004, need.lack));
}

async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  answerTo: (request: IncomingMessage) => Promise<Answer>,
): Promise<void> {
  send(request, response, await answerTo(request));
}

function routesOf(options: HttpOptions): ReadonlyMap<string, Route> {
  return new Map<string, Route>([
    ['/healthz', () => textAnswer('text/plain; charset=utf-8', 'ok\n')],
    ['/readyz', () => readyAnswer(options.ready())],
    ['/metrics', async () => textAnswer(METRICS_TYPE, await options.metrics())],
    ['/api', () => jsonAnswer(200, options.api())],
    ['/api/stats', () => jsonAnswer(200, options.stats())],
  ]);
}

/** The answers of paths that are for WebSockets, or for nobody; null for the others. */
function socketAnswer(path: string, node: string): Answer | null {
  switch (targetOf(path, node)) {
    case 'none':
      return errorAnswer(400, 400, 'the request target must be a path');
    case 'socket':
      return errorAnswer(426, 426, 'this path speaks tidegate.v1 over WebSocket', {
        Upgrade: 'websocket',
        Connection: 'Upgrade',
      });
    case 'other-node':
      return errorAnswer(421, 4200, 'this path belongs to another node');
    case 'path':
      return null;
  }
}

function pathAnswer(
  request: IncomingMessage,
  file: PageFile | undefined,
  route: Route | undefined,
): Answer | Promise<Answer> {
  if (file === undefined && route === undefined) return nothingHere();
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    // The connection ends, so that nobody makes us read a body that nothing wants.
    const headers = { Allow: 'GET, HEAD', Connection: 'close' };
    return errorAnswer(405, 405, 'only GET and HEAD are served here', headers);
  }
  return file === undefined ? (route?.() ?? nothingHere()) : fileAnswer(request, file);
}

const nothingHere = (): Answer => errorAnswer(404, 404, 'nothing is here');

/** A file of the page; browsers keep it and ask each time whether it is still the one. */
function fileAnswer(request: IncomingMessage, file: PageFile): Answer {
  const headers = { 'Content-Type': file.type, ETag: file.etag, 'Cache-Control': 'no-cache' };
  const known = request.headers['if-none-match'];
  if (known?.includes(file.etag)) return { status: 304, headers, body: '' };
  return { status: 200, headers, body: file.bytes };
}

function readyAnswer({ ready, log, rung, reasons }: Readiness): Answer {
  const body = { ready, log: { kind: log.kind, state: log.state }, rung, reasons };
  return jsonAnswer(ready ? 200 : 503, body);
}

function textAnswer(type: string, body: string): Answer {
  return { status: 200, headers: { 'Content-Type': type, 'Cache-Control': 'no-store' }, body };
}

function send(request: IncomingMessage, response: ServerResponse, answer: Answer): void {
  const headers: Record<string, string> = { ...SECURITY_HEADERS, ...answer.headers };
  if (answer.status !== 304) headers['Content-Length'] = String(Buffer.byteLength(answer.body));
  response.writeHead(answer.status, headers);
  response.end(request.method === 'HEAD' ? undefined : answer.body);
}
