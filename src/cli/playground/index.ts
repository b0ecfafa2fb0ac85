export { DEMO_IMAGE, demoImageTar } from "./demo-image.js";
export { down } from "./down.js";
export { hidingUnified } from "./hiding-unified.js";
export { type Layout, OUTSIDE_NETNS, REAL_LAYOUT, simulatedLayout } from "./layout.js";
export { type PlaygroundStatus, playgroundStatus } from "./status.js";
export { type UpOptions, up } from "./up.js";
