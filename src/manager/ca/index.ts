export {
  type CaHandler,
  createCaHandler,
  type IssueCall,
  type IssueOperation,
  type IssueOutcome,
} from "./ca-handler.js";
export {
  type CertificateInfo,
  isSignedBy,
  parseCertificate,
  renewalTimeMs,
  tlsInfo,
} from "./certificate.js";
export { CSR_BYTES_MAX, createCsr, createRoot, type Root, signCertificate } from "./issue.js";
export {
  type JoinToken,
  makeJoinToken,
  makeJoinTokens,
  parseJoinToken,
  roleOfToken,
  rootDigest,
  verifyRootDigest,
} from "./join-token.js";
export { makeUnlockKey, parseUnlockKey } from "./unlock-key.js";
