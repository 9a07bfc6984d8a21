// Khronos' glTF validator over GLB files; any error or warning ends with exit code 1.
//   npm install gltf-validator && node tests/core/io/check_gltf.cjs FILE.glb ...
const fs = require('fs');
const { createRequire } = require('module');
const validator = createRequire(process.cwd() + '/')('gltf-validator');

async function main(paths) {
  let bad = paths.length === 0 ? 1 : 0;
  for (const path of paths) {
    const report = await validator.validateBytes(new Uint8Array(fs.readFileSync(path)));
    const { numErrors, numWarnings, numInfos, messages } = report.issues;
    bad += numErrors + numWarnings;
    console.log(`${path}: ${numErrors} errors, ${numWarnings} warnings, ${numInfos} notes`);
    for (const m of messages) console.log(`  ${m.code} ${m.pointer}: ${m.message}`);
  }
  process.exit(bad ? 1 : 0);
}

main(process.argv.slice(2));
