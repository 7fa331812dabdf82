-- Sends one prepared request again and again; prints one line of JSON at the end.
-- Arguments after `--`: the body's file, its content type.
function init(args)
  local file = assert(io.open(args[1], "rb"))
  wrk.method = "POST"
  wrk.body = file:read("*a")
  wrk.headers["Content-Type"] = args[2]
  file:close()
end

function done(summary, latency, requests)
  local bad = summary.errors
  io.write(string.format(
    '{"requests": %d, "seconds": %f, "refused": %d, "failed": %d, "p50": %f, "p99": %f, "longest": %f}\n',
    summary.requests, summary.duration / 1e6, bad.status, bad.connect + bad.read + bad.write + bad.timeout,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3, latency.max / 1e3))
end
