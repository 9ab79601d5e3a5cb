// What a suite of version 2 calls gives a promise; what one of version 1 calls, a
// value. It is called at once if it can be, so that the suite's own line is on the
// stack.
(promises) => {
  const waits = (v) => v !== null && typeof v === "object" && typeof v.then === "function";
  return (f) => {
    if (!promises) return f;
    return function (...args) {
      if (args.some(waits)) return Promise.all(args).then((known) => f.apply(this, known));
      try {
        return Promise.resolve(f.apply(this, args));
      } catch (err) {
        return Promise.reject(err);
      }
    };
  };
}
