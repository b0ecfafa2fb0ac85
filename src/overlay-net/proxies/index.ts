export { MeshProxies, type MeshProxiesOptions, type ProxiedPort } from "./mesh-proxies.js";
