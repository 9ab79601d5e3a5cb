// A service of the lab in Node: POST /checkout calls the first dependency through a
// breaker, GET /catalog the last. Its only argument is what package lab calls Service,
// as JSON. It ends when its standard input does.
import http from 'node:http';
import { createRequire } from 'node:module';
import path from 'node:path';

const s = JSON.parse(process.argv[2]);
const library = (name) => {
  try {
    return createRequire(path.join(process.env.LAB_TOOLS, 'node_modules', 'x'))(name);
  } catch (err) {
    console.error(`${name} is missing (${err.code}); scripts/setup-lab.sh gets it`);
    process.exit(1);
  }
};

class Rejected extends Error {}

// Right as it stands; s.flaw makes it wrong.
function plain(call) {
  const threshold = { 'never-opens': Infinity, 'opens-late': s.failures + 1 }[s.flaw] ?? s.failures;
  const admits = s.flaw === 'herd' ? Infinity : s.half_open_calls;
  let state = 'closed', failures = 0, until = 0, probes = 0, refused = 0;
  const trip = () => { state = 'open'; until = Date.now() + s.open_ms; };
  const reject = async () => {
    refused++;
    if (s.flaw === 'leaks' && refused % 10 === 0) return call();
    if (s.flaw === 'slow-rejection') await new Promise((ok) => setTimeout(ok, 200));
    throw new Rejected();
  };
  return async () => {
    if (state === 'open' && Date.now() >= until && s.flaw !== 'never-closes') { state = 'half-open'; probes = 0; }
    if (state === 'open' || (state === 'half-open' && probes >= admits)) return reject();
    const probe = state === 'half-open';
    if (probe) probes++;
    try {
      const answer = await call();
      if (!probe || state === 'half-open') { state = 'closed'; failures = 0; }
      return answer;
    } catch (err) {
      if (probe && s.flaw === 'loses-probe') throw err;
      if (probe ? state === 'half-open' : state === 'closed' && ++failures >= threshold) trip();
      throw err;
    }
  };
}

function opossum(call) {
  const Breaker = library('opossum');
  const breaker = new Breaker(call, {
    timeout: false, resetTimeout: s.open_ms, volumeThreshold: s.min_calls,
    // It opens above this percentage, and the others at it.
    errorThresholdPercentage: 100 * s.rate - 0.01, rollingCountTimeout: 10000, rollingCountBuckets: 10,
  });
  return () => breaker.fire().catch((err) => { throw err.code === 'EOPENBREAKER' ? new Rejected() : err; });
}

function cockatiel(call) {
  const { circuitBreaker, handleAll, handleWhen, ConsecutiveBreaker, BrokenCircuitError } = library('cockatiel');
  const counts = s.flaw === 'deaf-to-timeouts' ? handleWhen((err) => err.code === 'ECONNREFUSED') : handleAll;
  const policies = Array.from({ length: s.flaw === 'each-worker' ? 4 : 1 }, () =>
    circuitBreaker(counts, { halfOpenAfter: s.open_ms, breaker: new ConsecutiveBreaker(s.failures) }));
  let turn = 0;
  return () => policies[turn++ % policies.length].execute(call).catch((err) => { throw err instanceof BrokenCircuitError ? new Rejected() : err; });
}

const agent = new http.Agent({ keepAlive: !s.fresh });

function dependency(address) {
  const [host, port] = address.split(':');
  return () => new Promise((ok, failed) => {
    const req = http.request({ host, port, method: 'POST', agent, path: '/' }, (res) => {
      res.resume();
      res.on('end', () => (res.statusCode === 200 ? ok() : failed(new Error(`status ${res.statusCode}`))));
      res.on('error', failed);
    });
    const timer = setTimeout(() => req.destroy(new Error('timeout')), s.call_timeout_ms);
    req.on('error', failed);
    req.on('close', () => clearTimeout(timer));
    req.end('{}');
  });
}

const build = { plain, opossum, cockatiel }[s.breaker];
const gates = s.dependencies.map((address) => build(dependency(address)));

const server = http.createServer(async (req, res) => {
  req.resume();
  const gate = req.url === '/checkout' ? gates[0] : gates[gates.length - 1];
  let status = 200, body = '{"paid": true}';
  try {
    await gate();
  } catch (err) {
    [status, body] = err instanceof Rejected ? [s.answer, s.body] : [502, JSON.stringify({ error: err.message })];
  }
  res.writeHead(status, { 'Content-Type': 'application/json' }).end(body);
});
server.listen(0, '127.0.0.1', () => console.log(`listening on http://127.0.0.1:${server.address().port}`));
process.stdin.on('close', () => process.exit(0)).resume();
