// Few rules, each for bugs; the layer table is docs/architecture.md's. Style is Biome's.
import tseslint from "typescript-eslint";

/** Folder → folders it may import from (itself always). Imports only go down. */
const LAYERS = {
  base: [],
  api: ["base"],
  store: ["base", "api"],
  journal: ["base", "api", "store"],
  scheduler: ["base", "api", "store"],
  "overlay-net": ["base", "api", "store"],
  manager: ["base", "api", "store", "journal", "scheduler", "overlay-net"],
  worker: ["base", "api", "overlay-net"],
  rest: ["base", "api", "store", "journal", "scheduler", "manager", "worker"],
  node: ["base", "api", "store", "manager", "rest"],
  cli: ["base", "api"],
  sim: ["base", "api", "store", "scheduler", "overlay-net", "manager", "worker"],
};
const MAY_USE_RAFT = new Set(["manager", "sim", "node"]);
const CORES = ["src/scheduler/**", "src/store/**", "src/*/core/**"];

const layerConfigs = Object.entries(LAYERS).map(([folder, allowed]) => {
  const forbidden = Object.keys(LAYERS).filter(
    (other) => other !== folder && !allowed.includes(other),
  );
  const patterns = [
    {
      group: forbidden.flatMap((other) => [`**/../${other}/**`]),
      message: `${folder} may import only: ${allowed.join(", ") || "nothing of ours"} (docs/architecture.md).`,
    },
  ];
  if (!MAY_USE_RAFT.has(folder))
    patterns.push({ group: ["raft-ts"], message: "only the manager talks to raft-ts." });
  return {
    files: [`src/${folder}/**/*.ts`],
    rules: { "no-restricted-imports": ["error", { patterns }] },
  };
});

export default tseslint.config(
  {
    ignores: [
      "**/dist/**",
      "**/gen/**",
      "node_modules/**",
      "bench/out/**",
      "**/*.mjs",
      "eslint.config.js",
    ],
  },
  {
    files: ["**/*.ts"],
    languageOptions: {
      parser: tseslint.parser,
      parserOptions: { project: "./tsconfig.json", tsconfigRootDir: import.meta.dirname },
    },
    plugins: { "@typescript-eslint": tseslint.plugin },
    rules: {
      "@typescript-eslint/no-floating-promises": "error",
      "@typescript-eslint/no-misused-promises": [
        "error",
        { checksVoidReturn: { arguments: false } },
      ],
      "@typescript-eslint/switch-exhaustiveness-check": [
        "error",
        { considerDefaultExhaustiveForUnions: true },
      ],
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/no-explicit-any": "error",
    },
  },
  ...layerConfigs,
  {
    files: CORES,
    ignores: ["**/*.test.ts"],
    rules: {
      "no-restricted-globals": [
        "error",
        "setTimeout",
        "setInterval",
        "setImmediate",
        "process",
        "console",
        "fetch",
        "performance",
      ],
      "no-restricted-properties": [
        "error",
        { object: "Date", property: "now", message: "cores get time in their events" },
        { object: "Math", property: "random", message: "cores get chance handed in" },
      ],
      "no-restricted-syntax": [
        "error",
        {
          selector: "NewExpression[callee.name='Date'][arguments.length=0]",
          message: "cores get time in their events",
        },
        {
          selector: "ImportDeclaration[source.value=/^node:/]",
          message: "cores import no node modules",
        },
      ],
    },
  },
);
