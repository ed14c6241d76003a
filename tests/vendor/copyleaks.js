// Login, an image check, and the balance, by Copyleaks' own client. argv: origin, key, image, scan id.
"use strict";
const fs = require("fs");
const { Copyleaks, CopyleaksAiImageDetectionRequestModel, CopyleaksConfig } = require("plagiarism-checker");

async function main(origin, key, image, scanId) {
  CopyleaksConfig.API_SERVER_URI = origin; // the client's own settings
  CopyleaksConfig.IDENTITY_SERVER_URI = origin;
  const client = new Copyleaks();
  const token = await client.loginAsync("vendor@example.org", key);
  const encoded = fs.readFileSync(image).toString("base64");
  const request = new CopyleaksAiImageDetectionRequestModel(encoded, "a.png", "ai-image-1-ultra");
  const answer = await client.aiImageDetectionClient.submitAsync(token, scanId, request);
  const credits = await client.getCreditsBalanceAsync(token);
  console.log(JSON.stringify({ answer, credits }));
}

main(...process.argv.slice(2)).catch((error) => {
  console.log(JSON.stringify({ status: error.response && error.response.status, error: error.response && error.response.data }));
  process.exitCode = 1;
});
