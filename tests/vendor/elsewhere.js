// Preloaded by node -r: connections to api.sightengine.com, which the client has fixed, go to a port of
// this machine. The name stays what the certificate is held against.
"use strict";
const tls = require("tls");
const connect = tls.connect;

tls.connect = (options, ...rest) => {
  if (options.host !== "api.sightengine.com") throw new Error(`a connection to ${options.host}`);
  const here = { host: "127.0.0.1", port: Number(process.env.RUNMASK_TLS_PORT) };
  return connect({ ...options, ...here, servername: "api.sightengine.com" }, ...rest);
};
