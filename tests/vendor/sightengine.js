// An image check and an address's by Sightengine's own client. argv: user, secret, image, address.
"use strict";

async function main(user, secret, image, address) {
  const client = require("sightengine")(user, secret);
  const file = await client.check(["genai"]).set_file(image);
  const url = await client.check(["genai"]).set_url(address);
  console.log(JSON.stringify({ file, url }));
}

main(...process.argv.slice(2));
