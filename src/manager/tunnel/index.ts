export { type AskNode, Tunnels } from "./tunnels.js";
