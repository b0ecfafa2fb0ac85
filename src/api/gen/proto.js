// Generated from the .proto files by scripts/gen-proto.mjs. Never edited.
/*eslint-disable block-scoped-var, id-length, no-control-regex, no-magic-numbers, no-mixed-operators, no-prototype-builtins, no-redeclare, no-shadow, no-var, sort-vars, default-case, jsdoc/require-param*/
import $protobuf from "protobufjs/minimal.js";

const $Reader = $protobuf.Reader, $Writer = $protobuf.Writer, $util = $protobuf.util;
const $Object = $util.global.Object, $undefined = $util.global.undefined, $Error = $util.global.Error, $RangeError = $util.global.RangeError;

const $root = $protobuf.roots["swarm"] || ($protobuf.roots["swarm"] = {});

export const swarm = $root.swarm = (() => {

    const swarm = {};

    swarm.ca = (function() {

        const ca = {};

        ca.GetRootRequest = (function() {

            const GetRootRequest = function (properties) {
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            GetRootRequest.create = function(properties) {
                return new GetRootRequest(properties);
            };

            GetRootRequest.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            GetRootRequest.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.swarm.ca.GetRootRequest();
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    reader.skipType(tag & 7, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            GetRootRequest.getTypeUrl = function(prefix) {
                if (prefix === $undefined)
                    prefix = "type.googleapis.com";
                return prefix + "/swarm.ca.GetRootRequest";
            };

            return GetRootRequest;
        })();

        ca.GetRootReply = (function() {

            const GetRootReply = function (properties) {
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            GetRootReply.prototype.rootBundlePem = "";

            GetRootReply.create = function(properties) {
                return new GetRootReply(properties);
            };

            GetRootReply.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.rootBundlePem != null && $Object.hasOwnProperty.call(message, "rootBundlePem") && message.rootBundlePem !== "")
                    writer.uint32(10).string(message.rootBundlePem);
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            GetRootReply.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.swarm.ca.GetRootReply();
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.rootBundlePem = value;
                            else
                                delete message.rootBundlePem;
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            GetRootReply.getTypeUrl = function(prefix) {
                if (prefix === $undefined)
                    prefix = "type.googleapis.com";
                return prefix + "/swarm.ca.GetRootReply";
            };

            return GetRootReply;
        })();

        ca.IssueRequest = (function() {

            const IssueRequest = function (properties) {
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            IssueRequest.prototype.csrPem = "";
            IssueRequest.prototype.token = "";
            IssueRequest.prototype.availability = "";

            IssueRequest.create = function(properties) {
                return new IssueRequest(properties);
            };

            IssueRequest.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.csrPem != null && $Object.hasOwnProperty.call(message, "csrPem") && message.csrPem !== "")
                    writer.uint32(10).string(message.csrPem);
                if (message.token != null && $Object.hasOwnProperty.call(message, "token") && message.token !== "")
                    writer.uint32(18).string(message.token);
                if (message.availability != null && $Object.hasOwnProperty.call(message, "availability") && message.availability !== "")
                    writer.uint32(26).string(message.availability);
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            IssueRequest.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.swarm.ca.IssueRequest();
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.csrPem = value;
                            else
                                delete message.csrPem;
                            continue;
                        }
                    case 2: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.token = value;
                            else
                                delete message.token;
                            continue;
                        }
                    case 3: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.availability = value;
                            else
                                delete message.availability;
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            IssueRequest.getTypeUrl = function(prefix) {
                if (prefix === $undefined)
                    prefix = "type.googleapis.com";
                return prefix + "/swarm.ca.IssueRequest";
            };

            return IssueRequest;
        })();

        ca.IssueReply = (function() {

            const IssueReply = function (properties) {
                this.managerAddrs = [];
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            IssueReply.prototype.nodeId = "";
            IssueReply.prototype.clusterId = "";
            IssueReply.prototype.role = "";
            IssueReply.prototype.certificatePem = "";
            IssueReply.prototype.rootBundlePem = "";
            IssueReply.prototype.managerAddrs = $util.emptyArray;

            IssueReply.create = function(properties) {
                return new IssueReply(properties);
            };

            IssueReply.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.nodeId != null && $Object.hasOwnProperty.call(message, "nodeId") && message.nodeId !== "")
                    writer.uint32(10).string(message.nodeId);
                if (message.clusterId != null && $Object.hasOwnProperty.call(message, "clusterId") && message.clusterId !== "")
                    writer.uint32(18).string(message.clusterId);
                if (message.role != null && $Object.hasOwnProperty.call(message, "role") && message.role !== "")
                    writer.uint32(26).string(message.role);
                if (message.certificatePem != null && $Object.hasOwnProperty.call(message, "certificatePem") && message.certificatePem !== "")
                    writer.uint32(34).string(message.certificatePem);
                if (message.rootBundlePem != null && $Object.hasOwnProperty.call(message, "rootBundlePem") && message.rootBundlePem !== "")
                    writer.uint32(42).string(message.rootBundlePem);
                if (message.managerAddrs != null && message.managerAddrs.length)
                    for (let i = 0; i < message.managerAddrs.length; ++i)
                        writer.uint32(50).string(message.managerAddrs[i]);
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            IssueReply.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.swarm.ca.IssueReply();
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.nodeId = value;
                            else
                                delete message.nodeId;
                            continue;
                        }
                    case 2: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.clusterId = value;
                            else
                                delete message.clusterId;
                            continue;
                        }
                    case 3: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.role = value;
                            else
                                delete message.role;
                            continue;
                        }
                    case 4: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.certificatePem = value;
                            else
                                delete message.certificatePem;
                            continue;
                        }
                    case 5: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.rootBundlePem = value;
                            else
                                delete message.rootBundlePem;
                            continue;
                        }
                    case 6: {
                            if (wireType !== 2)
                                break;
                            if (!(message.managerAddrs && message.managerAddrs.length))
                                message.managerAddrs = [];
                            message.managerAddrs.push(reader.stringVerify());
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            IssueReply.getTypeUrl = function(prefix) {
                if (prefix === $undefined)
                    prefix = "type.googleapis.com";
                return prefix + "/swarm.ca.IssueReply";
            };

            return IssueReply;
        })();

        return ca;
    })();

    swarm.control = (function() {

        const control = {};

        control.SubmitRequest = (function() {

            const SubmitRequest = function (properties) {
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            SubmitRequest.prototype.requestId = "";
            SubmitRequest.prototype.operationJson = $util.newBuffer([]);
            SubmitRequest.prototype.timeoutMs = 0;
            SubmitRequest.prototype.forwardedBy = "";
            SubmitRequest.prototype.door = null;
            SubmitRequest.prototype.actor = null;

            let $oneOfFields;

            // Virtual OneOf for proto3 optional field
            $Object.defineProperty(SubmitRequest.prototype, "_door", {
                get: $util.oneOfGetter($oneOfFields = ["door"]),
                set: $util.oneOfSetter($oneOfFields)
            });

            // Virtual OneOf for proto3 optional field
            $Object.defineProperty(SubmitRequest.prototype, "_actor", {
                get: $util.oneOfGetter($oneOfFields = ["actor"]),
                set: $util.oneOfSetter($oneOfFields)
            });

            SubmitRequest.create = function(properties) {
                return new SubmitRequest(properties);
            };

            SubmitRequest.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.requestId != null && $Object.hasOwnProperty.call(message, "requestId") && message.requestId !== "")
                    writer.uint32(10).string(message.requestId);
                if (message.operationJson != null && $Object.hasOwnProperty.call(message, "operationJson") && message.operationJson.length)
                    writer.uint32(18).bytes(message.operationJson);
                if (message.timeoutMs != null && $Object.hasOwnProperty.call(message, "timeoutMs") && message.timeoutMs !== 0)
                    writer.uint32(24).uint32(message.timeoutMs);
                if (message.forwardedBy != null && $Object.hasOwnProperty.call(message, "forwardedBy") && message.forwardedBy !== "")
                    writer.uint32(34).string(message.forwardedBy);
                if (message.door != null && $Object.hasOwnProperty.call(message, "door"))
                    writer.uint32(322).string(message.door);
                if (message.actor != null && $Object.hasOwnProperty.call(message, "actor"))
                    writer.uint32(330).string(message.actor);
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            SubmitRequest.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.swarm.control.SubmitRequest();
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.requestId = value;
                            else
                                delete message.requestId;
                            continue;
                        }
                    case 2: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.bytes()).length)
                                message.operationJson = value;
                            else
                                delete message.operationJson;
                            continue;
                        }
                    case 3: {
                            if (wireType !== 0)
                                break;
                            if (value = reader.uint32())
                                message.timeoutMs = value;
                            else
                                delete message.timeoutMs;
                            continue;
                        }
                    case 4: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.forwardedBy = value;
                            else
                                delete message.forwardedBy;
                            continue;
                        }
                    case 40: {
                            if (wireType !== 2)
                                break;
                            message.door = reader.stringVerify();
                            message._door = "door";
                            continue;
                        }
                    case 41: {
                            if (wireType !== 2)
                                break;
                            message.actor = reader.stringVerify();
                            message._actor = "actor";
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            SubmitRequest.getTypeUrl = function(prefix) {
                if (prefix === $undefined)
                    prefix = "type.googleapis.com";
                return prefix + "/swarm.control.SubmitRequest";
            };

            return SubmitRequest;
        })();

        control.SubmitError = (function() {

            const SubmitError = function (properties) {
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            SubmitError.prototype.code = "";
            SubmitError.prototype.message = "";
            SubmitError.prototype.http = 0;
            SubmitError.prototype.origin = "";

            SubmitError.create = function(properties) {
                return new SubmitError(properties);
            };

            SubmitError.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.code != null && $Object.hasOwnProperty.call(message, "code") && message.code !== "")
                    writer.uint32(10).string(message.code);
                if (message.message != null && $Object.hasOwnProperty.call(message, "message") && message.message !== "")
                    writer.uint32(18).string(message.message);
                if (message.http != null && $Object.hasOwnProperty.call(message, "http") && message.http !== 0)
                    writer.uint32(24).uint32(message.http);
                if (message.origin != null && $Object.hasOwnProperty.call(message, "origin") && message.origin !== "")
                    writer.uint32(34).string(message.origin);
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            SubmitError.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.swarm.control.SubmitError();
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.code = value;
                            else
                                delete message.code;
                            continue;
                        }
                    case 2: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.message = value;
                            else
                                delete message.message;
                            continue;
                        }
                    case 3: {
                            if (wireType !== 0)
                                break;
                            if (value = reader.uint32())
                                message.http = value;
                            else
                                delete message.http;
                            continue;
                        }
                    case 4: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.origin = value;
                            else
                                delete message.origin;
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            SubmitError.getTypeUrl = function(prefix) {
                if (prefix === $undefined)
                    prefix = "type.googleapis.com";
                return prefix + "/swarm.control.SubmitError";
            };

            return SubmitError;
        })();

        control.NotLeader = (function() {

            const NotLeader = function (properties) {
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            NotLeader.prototype.leaderAddr = "";

            NotLeader.create = function(properties) {
                return new NotLeader(properties);
            };

            NotLeader.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.leaderAddr != null && $Object.hasOwnProperty.call(message, "leaderAddr") && message.leaderAddr !== "")
                    writer.uint32(10).string(message.leaderAddr);
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            NotLeader.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.swarm.control.NotLeader();
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.leaderAddr = value;
                            else
                                delete message.leaderAddr;
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            NotLeader.getTypeUrl = function(prefix) {
                if (prefix === $undefined)
                    prefix = "type.googleapis.com";
                return prefix + "/swarm.control.NotLeader";
            };

            return NotLeader;
        })();

        control.SubmitReply = (function() {

            const SubmitReply = function (properties) {
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            SubmitReply.prototype.resultJson = null;
            SubmitReply.prototype.error = null;
            SubmitReply.prototype.notLeader = null;
            SubmitReply.prototype.index = $util.Long ? $util.Long.fromBits(0,0,true) : 0;

            let $oneOfFields;

            $Object.defineProperty(SubmitReply.prototype, "outcome", {
                get: $util.oneOfGetter($oneOfFields = ["resultJson", "error", "notLeader"]),
                set: $util.oneOfSetter($oneOfFields)
            });

            SubmitReply.create = function(properties) {
                return new SubmitReply(properties);
            };

            SubmitReply.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.resultJson != null && $Object.hasOwnProperty.call(message, "resultJson"))
                    writer.uint32(10).bytes(message.resultJson);
                if (message.error != null && $Object.hasOwnProperty.call(message, "error"))
                    $root.swarm.control.SubmitError.encode(message.error, writer.uint32(18).fork(), _depth + 1).ldelim();
                if (message.notLeader != null && $Object.hasOwnProperty.call(message, "notLeader"))
                    $root.swarm.control.NotLeader.encode(message.notLeader, writer.uint32(26).fork(), _depth + 1).ldelim();
                if (message.index != null && $Object.hasOwnProperty.call(message, "index") && (typeof message.index === "object" ? message.index.low || message.index.high : message.index !== 0))
                    writer.uint32(32).uint64(message.index);
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            SubmitReply.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.swarm.control.SubmitReply();
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 2)
                                break;
                            message.resultJson = reader.bytes();
                            message.outcome = "resultJson";
                            continue;
                        }
                    case 2: {
                            if (wireType !== 2)
                                break;
                            message.error = $root.swarm.control.SubmitError.decode(reader, reader.size(), $undefined, _depth + 1, message.error);
                            message.outcome = "error";
                            continue;
                        }
                    case 3: {
                            if (wireType !== 2)
                                break;
                            message.notLeader = $root.swarm.control.NotLeader.decode(reader, reader.size(), $undefined, _depth + 1, message.notLeader);
                            message.outcome = "notLeader";
                            continue;
                        }
                    case 4: {
                            if (wireType !== 0)
                                break;
                            if (typeof (value = reader.uint64()) === "object" ? value.low || value.high : value !== 0)
                                message.index = value;
                            else
                                delete message.index;
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            SubmitReply.getTypeUrl = function(prefix) {
                if (prefix === $undefined)
                    prefix = "type.googleapis.com";
                return prefix + "/swarm.control.SubmitReply";
            };

            return SubmitReply;
        })();

        control.TunnelRequest = (function() {

            const TunnelRequest = function (properties) {
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            TunnelRequest.prototype.nodeId = "";
            TunnelRequest.prototype.tunnelId = "";
            TunnelRequest.prototype.managerAddr = "";

            TunnelRequest.create = function(properties) {
                return new TunnelRequest(properties);
            };

            TunnelRequest.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.nodeId != null && $Object.hasOwnProperty.call(message, "nodeId") && message.nodeId !== "")
                    writer.uint32(10).string(message.nodeId);
                if (message.tunnelId != null && $Object.hasOwnProperty.call(message, "tunnelId") && message.tunnelId !== "")
                    writer.uint32(18).string(message.tunnelId);
                if (message.managerAddr != null && $Object.hasOwnProperty.call(message, "managerAddr") && message.managerAddr !== "")
                    writer.uint32(26).string(message.managerAddr);
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            TunnelRequest.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.swarm.control.TunnelRequest();
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.nodeId = value;
                            else
                                delete message.nodeId;
                            continue;
                        }
                    case 2: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.tunnelId = value;
                            else
                                delete message.tunnelId;
                            continue;
                        }
                    case 3: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.managerAddr = value;
                            else
                                delete message.managerAddr;
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            TunnelRequest.getTypeUrl = function(prefix) {
                if (prefix === $undefined)
                    prefix = "type.googleapis.com";
                return prefix + "/swarm.control.TunnelRequest";
            };

            return TunnelRequest;
        })();

        control.TunnelReply = (function() {

            const TunnelReply = function (properties) {
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            TunnelReply.prototype.error = "";
            TunnelReply.prototype.leaderAddr = "";

            TunnelReply.create = function(properties) {
                return new TunnelReply(properties);
            };

            TunnelReply.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.error != null && $Object.hasOwnProperty.call(message, "error") && message.error !== "")
                    writer.uint32(10).string(message.error);
                if (message.leaderAddr != null && $Object.hasOwnProperty.call(message, "leaderAddr") && message.leaderAddr !== "")
                    writer.uint32(18).string(message.leaderAddr);
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            TunnelReply.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.swarm.control.TunnelReply();
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.error = value;
                            else
                                delete message.error;
                            continue;
                        }
                    case 2: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.leaderAddr = value;
                            else
                                delete message.leaderAddr;
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            TunnelReply.getTypeUrl = function(prefix) {
                if (prefix === $undefined)
                    prefix = "type.googleapis.com";
                return prefix + "/swarm.control.TunnelReply";
            };

            return TunnelReply;
        })();

        control.NodeUsagesRequest = (function() {

            const NodeUsagesRequest = function (properties) {
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            NodeUsagesRequest.create = function(properties) {
                return new NodeUsagesRequest(properties);
            };

            NodeUsagesRequest.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            NodeUsagesRequest.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.swarm.control.NodeUsagesRequest();
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    reader.skipType(tag & 7, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            NodeUsagesRequest.getTypeUrl = function(prefix) {
                if (prefix === $undefined)
                    prefix = "type.googleapis.com";
                return prefix + "/swarm.control.NodeUsagesRequest";
            };

            return NodeUsagesRequest;
        })();

        control.NodeUsage = (function() {

            const NodeUsage = function (properties) {
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            NodeUsage.prototype.nodeId = "";
            NodeUsage.prototype.cpuNano = 0;
            NodeUsage.prototype.memBytes = 0;
            NodeUsage.prototype.atMs = 0;

            NodeUsage.create = function(properties) {
                return new NodeUsage(properties);
            };

            NodeUsage.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.nodeId != null && $Object.hasOwnProperty.call(message, "nodeId") && message.nodeId !== "")
                    writer.uint32(10).string(message.nodeId);
                if (message.cpuNano != null && $Object.hasOwnProperty.call(message, "cpuNano") && !$Object.is(message.cpuNano, 0))
                    writer.uint32(17).double(message.cpuNano);
                if (message.memBytes != null && $Object.hasOwnProperty.call(message, "memBytes") && !$Object.is(message.memBytes, 0))
                    writer.uint32(25).double(message.memBytes);
                if (message.atMs != null && $Object.hasOwnProperty.call(message, "atMs") && !$Object.is(message.atMs, 0))
                    writer.uint32(33).double(message.atMs);
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            NodeUsage.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.swarm.control.NodeUsage();
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.nodeId = value;
                            else
                                delete message.nodeId;
                            continue;
                        }
                    case 2: {
                            if (wireType !== 1)
                                break;
                            if (!$Object.is(value = reader.double(), 0))
                                message.cpuNano = value;
                            else
                                delete message.cpuNano;
                            continue;
                        }
                    case 3: {
                            if (wireType !== 1)
                                break;
                            if (!$Object.is(value = reader.double(), 0))
                                message.memBytes = value;
                            else
                                delete message.memBytes;
                            continue;
                        }
                    case 4: {
                            if (wireType !== 1)
                                break;
                            if (!$Object.is(value = reader.double(), 0))
                                message.atMs = value;
                            else
                                delete message.atMs;
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            NodeUsage.getTypeUrl = function(prefix) {
                if (prefix === $undefined)
                    prefix = "type.googleapis.com";
                return prefix + "/swarm.control.NodeUsage";
            };

            return NodeUsage;
        })();

        control.NodeUsagesReply = (function() {

            const NodeUsagesReply = function (properties) {
                this.nodes = [];
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            NodeUsagesReply.prototype.nodes = $util.emptyArray;

            NodeUsagesReply.create = function(properties) {
                return new NodeUsagesReply(properties);
            };

            NodeUsagesReply.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.nodes != null && message.nodes.length)
                    for (let i = 0; i < message.nodes.length; ++i)
                        $root.swarm.control.NodeUsage.encode(message.nodes[i], writer.uint32(10).fork(), _depth + 1).ldelim();
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            NodeUsagesReply.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.swarm.control.NodeUsagesReply();
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 2)
                                break;
                            if (!(message.nodes && message.nodes.length))
                                message.nodes = [];
                            message.nodes.push($root.swarm.control.NodeUsage.decode(reader, reader.size(), $undefined, _depth + 1));
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            NodeUsagesReply.getTypeUrl = function(prefix) {
                if (prefix === $undefined)
                    prefix = "type.googleapis.com";
                return prefix + "/swarm.control.NodeUsagesReply";
            };

            return NodeUsagesReply;
        })();

        control.ReadJournalRequest = (function() {

            const ReadJournalRequest = function (properties) {
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            ReadJournalRequest.prototype.queryJson = $util.newBuffer([]);

            ReadJournalRequest.create = function(properties) {
                return new ReadJournalRequest(properties);
            };

            ReadJournalRequest.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.queryJson != null && $Object.hasOwnProperty.call(message, "queryJson") && message.queryJson.length)
                    writer.uint32(10).bytes(message.queryJson);
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            ReadJournalRequest.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.swarm.control.ReadJournalRequest();
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.bytes()).length)
                                message.queryJson = value;
                            else
                                delete message.queryJson;
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            ReadJournalRequest.getTypeUrl = function(prefix) {
                if (prefix === $undefined)
                    prefix = "type.googleapis.com";
                return prefix + "/swarm.control.ReadJournalRequest";
            };

            return ReadJournalRequest;
        })();

        control.ReadJournalReply = (function() {

            const ReadJournalReply = function (properties) {
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            ReadJournalReply.prototype.entries = $util.newBuffer([]);
            ReadJournalReply.prototype.isEnd = false;

            ReadJournalReply.create = function(properties) {
                return new ReadJournalReply(properties);
            };

            ReadJournalReply.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.entries != null && $Object.hasOwnProperty.call(message, "entries") && message.entries.length)
                    writer.uint32(10).bytes(message.entries);
                if (message.isEnd != null && $Object.hasOwnProperty.call(message, "isEnd") && message.isEnd !== false)
                    writer.uint32(16).bool(message.isEnd);
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            ReadJournalReply.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.swarm.control.ReadJournalReply();
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.bytes()).length)
                                message.entries = value;
                            else
                                delete message.entries;
                            continue;
                        }
                    case 2: {
                            if (wireType !== 0)
                                break;
                            if (value = reader.bool())
                                message.isEnd = value;
                            else
                                delete message.isEnd;
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            ReadJournalReply.getTypeUrl = function(prefix) {
                if (prefix === $undefined)
                    prefix = "type.googleapis.com";
                return prefix + "/swarm.control.ReadJournalReply";
            };

            return ReadJournalReply;
        })();

        control.RaftFrame = (function() {

            const RaftFrame = function (properties) {
                this.messages = [];
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            RaftFrame.prototype.fromMember = "";
            RaftFrame.prototype.toMember = "";
            RaftFrame.prototype.messages = $util.emptyArray;

            RaftFrame.create = function(properties) {
                return new RaftFrame(properties);
            };

            RaftFrame.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.fromMember != null && $Object.hasOwnProperty.call(message, "fromMember") && message.fromMember !== "")
                    writer.uint32(10).string(message.fromMember);
                if (message.toMember != null && $Object.hasOwnProperty.call(message, "toMember") && message.toMember !== "")
                    writer.uint32(18).string(message.toMember);
                if (message.messages != null && message.messages.length)
                    for (let i = 0; i < message.messages.length; ++i)
                        writer.uint32(26).bytes(message.messages[i]);
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            RaftFrame.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.swarm.control.RaftFrame();
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.fromMember = value;
                            else
                                delete message.fromMember;
                            continue;
                        }
                    case 2: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.toMember = value;
                            else
                                delete message.toMember;
                            continue;
                        }
                    case 3: {
                            if (wireType !== 2)
                                break;
                            if (!(message.messages && message.messages.length))
                                message.messages = [];
                            message.messages.push(reader.bytes());
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            RaftFrame.getTypeUrl = function(prefix) {
                if (prefix === $undefined)
                    prefix = "type.googleapis.com";
                return prefix + "/swarm.control.RaftFrame";
            };

            return RaftFrame;
        })();

        control.RaftStreamEnd = (function() {

            const RaftStreamEnd = function (properties) {
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            RaftStreamEnd.create = function(properties) {
                return new RaftStreamEnd(properties);
            };

            RaftStreamEnd.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            RaftStreamEnd.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.swarm.control.RaftStreamEnd();
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    reader.skipType(tag & 7, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            RaftStreamEnd.getTypeUrl = function(prefix) {
                if (prefix === $undefined)
                    prefix = "type.googleapis.com";
                return prefix + "/swarm.control.RaftStreamEnd";
            };

            return RaftStreamEnd;
        })();

        return control;
    })();

    swarm.dispatcher = (function() {

        const dispatcher = {};

        dispatcher.ConnectRequest = (function() {

            const ConnectRequest = function (properties) {
                this.aliases = [];
                this.addresses = [];
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            ConnectRequest.prototype.taskId = "";
            ConnectRequest.prototype.containerTaskId = "";
            ConnectRequest.prototype.containerId = "";
            ConnectRequest.prototype.containerName = "";
            ConnectRequest.prototype.network = "";
            ConnectRequest.prototype.aliases = $util.emptyArray;
            ConnectRequest.prototype.addresses = $util.emptyArray;

            ConnectRequest.create = function(properties) {
                return new ConnectRequest(properties);
            };

            ConnectRequest.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.taskId != null && $Object.hasOwnProperty.call(message, "taskId") && message.taskId !== "")
                    writer.uint32(10).string(message.taskId);
                if (message.containerTaskId != null && $Object.hasOwnProperty.call(message, "containerTaskId") && message.containerTaskId !== "")
                    writer.uint32(18).string(message.containerTaskId);
                if (message.containerId != null && $Object.hasOwnProperty.call(message, "containerId") && message.containerId !== "")
                    writer.uint32(26).string(message.containerId);
                if (message.containerName != null && $Object.hasOwnProperty.call(message, "containerName") && message.containerName !== "")
                    writer.uint32(34).string(message.containerName);
                if (message.network != null && $Object.hasOwnProperty.call(message, "network") && message.network !== "")
                    writer.uint32(42).string(message.network);
                if (message.aliases != null && message.aliases.length)
                    for (let i = 0; i < message.aliases.length; ++i)
                        writer.uint32(50).string(message.aliases[i]);
                if (message.addresses != null && message.addresses.length)
                    for (let i = 0; i < message.addresses.length; ++i)
                        writer.uint32(58).string(message.addresses[i]);
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            ConnectRequest.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.swarm.dispatcher.ConnectRequest();
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.taskId = value;
                            else
                                delete message.taskId;
                            continue;
                        }
                    case 2: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.containerTaskId = value;
                            else
                                delete message.containerTaskId;
                            continue;
                        }
                    case 3: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.containerId = value;
                            else
                                delete message.containerId;
                            continue;
                        }
                    case 4: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.containerName = value;
                            else
                                delete message.containerName;
                            continue;
                        }
                    case 5: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.network = value;
                            else
                                delete message.network;
                            continue;
                        }
                    case 6: {
                            if (wireType !== 2)
                                break;
                            if (!(message.aliases && message.aliases.length))
                                message.aliases = [];
                            message.aliases.push(reader.stringVerify());
                            continue;
                        }
                    case 7: {
                            if (wireType !== 2)
                                break;
                            if (!(message.addresses && message.addresses.length))
                                message.addresses = [];
                            message.addresses.push(reader.stringVerify());
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            ConnectRequest.getTypeUrl = function(prefix) {
                if (prefix === $undefined)
                    prefix = "type.googleapis.com";
                return prefix + "/swarm.dispatcher.ConnectRequest";
            };

            return ConnectRequest;
        })();

        dispatcher.DisconnectRequest = (function() {

            const DisconnectRequest = function (properties) {
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            DisconnectRequest.prototype.container = "";
            DisconnectRequest.prototype.network = "";
            DisconnectRequest.prototype.requestId = "";

            DisconnectRequest.create = function(properties) {
                return new DisconnectRequest(properties);
            };

            DisconnectRequest.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.container != null && $Object.hasOwnProperty.call(message, "container") && message.container !== "")
                    writer.uint32(10).string(message.container);
                if (message.network != null && $Object.hasOwnProperty.call(message, "network") && message.network !== "")
                    writer.uint32(18).string(message.network);
                if (message.requestId != null && $Object.hasOwnProperty.call(message, "requestId") && message.requestId !== "")
                    writer.uint32(26).string(message.requestId);
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            DisconnectRequest.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.swarm.dispatcher.DisconnectRequest();
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.container = value;
                            else
                                delete message.container;
                            continue;
                        }
                    case 2: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.network = value;
                            else
                                delete message.network;
                            continue;
                        }
                    case 3: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.requestId = value;
                            else
                                delete message.requestId;
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            DisconnectRequest.getTypeUrl = function(prefix) {
                if (prefix === $undefined)
                    prefix = "type.googleapis.com";
                return prefix + "/swarm.dispatcher.DisconnectRequest";
            };

            return DisconnectRequest;
        })();

        dispatcher.ConnectionError = (function() {

            const ConnectionError = function (properties) {
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            ConnectionError.prototype.code = "";
            ConnectionError.prototype.message = "";
            ConnectionError.prototype.http = 0;
            ConnectionError.prototype.origin = "";

            ConnectionError.create = function(properties) {
                return new ConnectionError(properties);
            };

            ConnectionError.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.code != null && $Object.hasOwnProperty.call(message, "code") && message.code !== "")
                    writer.uint32(10).string(message.code);
                if (message.message != null && $Object.hasOwnProperty.call(message, "message") && message.message !== "")
                    writer.uint32(18).string(message.message);
                if (message.http != null && $Object.hasOwnProperty.call(message, "http") && message.http !== 0)
                    writer.uint32(24).uint32(message.http);
                if (message.origin != null && $Object.hasOwnProperty.call(message, "origin") && message.origin !== "")
                    writer.uint32(34).string(message.origin);
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            ConnectionError.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.swarm.dispatcher.ConnectionError();
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.code = value;
                            else
                                delete message.code;
                            continue;
                        }
                    case 2: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.message = value;
                            else
                                delete message.message;
                            continue;
                        }
                    case 3: {
                            if (wireType !== 0)
                                break;
                            if (value = reader.uint32())
                                message.http = value;
                            else
                                delete message.http;
                            continue;
                        }
                    case 4: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.origin = value;
                            else
                                delete message.origin;
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            ConnectionError.getTypeUrl = function(prefix) {
                if (prefix === $undefined)
                    prefix = "type.googleapis.com";
                return prefix + "/swarm.dispatcher.ConnectionError";
            };

            return ConnectionError;
        })();

        dispatcher.ConnectionReply = (function() {

            const ConnectionReply = function (properties) {
                this.taskIds = [];
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            ConnectionReply.prototype.taskIds = $util.emptyArray;
            ConnectionReply.prototype.error = null;

            ConnectionReply.create = function(properties) {
                return new ConnectionReply(properties);
            };

            ConnectionReply.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.taskIds != null && message.taskIds.length)
                    for (let i = 0; i < message.taskIds.length; ++i)
                        writer.uint32(10).string(message.taskIds[i]);
                if (message.error != null && $Object.hasOwnProperty.call(message, "error"))
                    $root.swarm.dispatcher.ConnectionError.encode(message.error, writer.uint32(18).fork(), _depth + 1).ldelim();
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            ConnectionReply.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.swarm.dispatcher.ConnectionReply();
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 2)
                                break;
                            if (!(message.taskIds && message.taskIds.length))
                                message.taskIds = [];
                            message.taskIds.push(reader.stringVerify());
                            continue;
                        }
                    case 2: {
                            if (wireType !== 2)
                                break;
                            message.error = $root.swarm.dispatcher.ConnectionError.decode(reader, reader.size(), $undefined, _depth + 1, message.error);
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            ConnectionReply.getTypeUrl = function(prefix) {
                if (prefix === $undefined)
                    prefix = "type.googleapis.com";
                return prefix + "/swarm.dispatcher.ConnectionReply";
            };

            return ConnectionReply;
        })();

        dispatcher.Hello = (function() {

            const Hello = function (properties) {
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            Hello.prototype.descriptionJson = $util.newBuffer([]);
            Hello.prototype.bootId = "";
            Hello.prototype.assignmentsIndex = $util.Long ? $util.Long.fromBits(0,0,true) : 0;
            Hello.prototype.advertiseAddr = "";

            Hello.create = function(properties) {
                return new Hello(properties);
            };

            Hello.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.descriptionJson != null && $Object.hasOwnProperty.call(message, "descriptionJson") && message.descriptionJson.length)
                    writer.uint32(10).bytes(message.descriptionJson);
                if (message.bootId != null && $Object.hasOwnProperty.call(message, "bootId") && message.bootId !== "")
                    writer.uint32(18).string(message.bootId);
                if (message.assignmentsIndex != null && $Object.hasOwnProperty.call(message, "assignmentsIndex") && (typeof message.assignmentsIndex === "object" ? message.assignmentsIndex.low || message.assignmentsIndex.high : message.assignmentsIndex !== 0))
                    writer.uint32(24).uint64(message.assignmentsIndex);
                if (message.advertiseAddr != null && $Object.hasOwnProperty.call(message, "advertiseAddr") && message.advertiseAddr !== "")
                    writer.uint32(34).string(message.advertiseAddr);
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            Hello.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.swarm.dispatcher.Hello();
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.bytes()).length)
                                message.descriptionJson = value;
                            else
                                delete message.descriptionJson;
                            continue;
                        }
                    case 2: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.bootId = value;
                            else
                                delete message.bootId;
                            continue;
                        }
                    case 3: {
                            if (wireType !== 0)
                                break;
                            if (typeof (value = reader.uint64()) === "object" ? value.low || value.high : value !== 0)
                                message.assignmentsIndex = value;
                            else
                                delete message.assignmentsIndex;
                            continue;
                        }
                    case 4: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.advertiseAddr = value;
                            else
                                delete message.advertiseAddr;
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            Hello.getTypeUrl = function(prefix) {
                if (prefix === $undefined)
                    prefix = "type.googleapis.com";
                return prefix + "/swarm.dispatcher.Hello";
            };

            return Hello;
        })();

        dispatcher.NodeUsage = (function() {

            const NodeUsage = function (properties) {
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            NodeUsage.prototype.cpuNano = 0;
            NodeUsage.prototype.memBytes = 0;

            NodeUsage.create = function(properties) {
                return new NodeUsage(properties);
            };

            NodeUsage.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.cpuNano != null && $Object.hasOwnProperty.call(message, "cpuNano") && !$Object.is(message.cpuNano, 0))
                    writer.uint32(9).double(message.cpuNano);
                if (message.memBytes != null && $Object.hasOwnProperty.call(message, "memBytes") && !$Object.is(message.memBytes, 0))
                    writer.uint32(17).double(message.memBytes);
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            NodeUsage.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.swarm.dispatcher.NodeUsage();
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 1)
                                break;
                            if (!$Object.is(value = reader.double(), 0))
                                message.cpuNano = value;
                            else
                                delete message.cpuNano;
                            continue;
                        }
                    case 2: {
                            if (wireType !== 1)
                                break;
                            if (!$Object.is(value = reader.double(), 0))
                                message.memBytes = value;
                            else
                                delete message.memBytes;
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            NodeUsage.getTypeUrl = function(prefix) {
                if (prefix === $undefined)
                    prefix = "type.googleapis.com";
                return prefix + "/swarm.dispatcher.NodeUsage";
            };

            return NodeUsage;
        })();

        dispatcher.Heartbeat = (function() {

            const Heartbeat = function (properties) {
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            Heartbeat.prototype.seq = $util.Long ? $util.Long.fromBits(0,0,true) : 0;
            Heartbeat.prototype.usage = null;

            Heartbeat.create = function(properties) {
                return new Heartbeat(properties);
            };

            Heartbeat.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.seq != null && $Object.hasOwnProperty.call(message, "seq") && (typeof message.seq === "object" ? message.seq.low || message.seq.high : message.seq !== 0))
                    writer.uint32(8).uint64(message.seq);
                if (message.usage != null && $Object.hasOwnProperty.call(message, "usage"))
                    $root.swarm.dispatcher.NodeUsage.encode(message.usage, writer.uint32(18).fork(), _depth + 1).ldelim();
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            Heartbeat.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.swarm.dispatcher.Heartbeat();
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 0)
                                break;
                            if (typeof (value = reader.uint64()) === "object" ? value.low || value.high : value !== 0)
                                message.seq = value;
                            else
                                delete message.seq;
                            continue;
                        }
                    case 2: {
                            if (wireType !== 2)
                                break;
                            message.usage = $root.swarm.dispatcher.NodeUsage.decode(reader, reader.size(), $undefined, _depth + 1, message.usage);
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            Heartbeat.getTypeUrl = function(prefix) {
                if (prefix === $undefined)
                    prefix = "type.googleapis.com";
                return prefix + "/swarm.dispatcher.Heartbeat";
            };

            return Heartbeat;
        })();

        dispatcher.StatusBatch = (function() {

            const StatusBatch = function (properties) {
                this.statuses = [];
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            StatusBatch.prototype.seq = $util.Long ? $util.Long.fromBits(0,0,true) : 0;
            StatusBatch.prototype.statuses = $util.emptyArray;

            StatusBatch.create = function(properties) {
                return new StatusBatch(properties);
            };

            StatusBatch.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.seq != null && $Object.hasOwnProperty.call(message, "seq") && (typeof message.seq === "object" ? message.seq.low || message.seq.high : message.seq !== 0))
                    writer.uint32(8).uint64(message.seq);
                if (message.statuses != null && message.statuses.length)
                    for (let i = 0; i < message.statuses.length; ++i)
                        $root.swarm.objects.TaskStatus.encode(message.statuses[i], writer.uint32(18).fork(), _depth + 1).ldelim();
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            StatusBatch.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.swarm.dispatcher.StatusBatch();
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 0)
                                break;
                            if (typeof (value = reader.uint64()) === "object" ? value.low || value.high : value !== 0)
                                message.seq = value;
                            else
                                delete message.seq;
                            continue;
                        }
                    case 2: {
                            if (wireType !== 2)
                                break;
                            if (!(message.statuses && message.statuses.length))
                                message.statuses = [];
                            message.statuses.push($root.swarm.objects.TaskStatus.decode(reader, reader.size(), $undefined, _depth + 1));
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            StatusBatch.getTypeUrl = function(prefix) {
                if (prefix === $undefined)
                    prefix = "type.googleapis.com";
                return prefix + "/swarm.dispatcher.StatusBatch";
            };

            return StatusBatch;
        })();

        dispatcher.Description = (function() {

            const Description = function (properties) {
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            Description.prototype.descriptionJson = $util.newBuffer([]);

            Description.create = function(properties) {
                return new Description(properties);
            };

            Description.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.descriptionJson != null && $Object.hasOwnProperty.call(message, "descriptionJson") && message.descriptionJson.length)
                    writer.uint32(10).bytes(message.descriptionJson);
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            Description.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.swarm.dispatcher.Description();
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.bytes()).length)
                                message.descriptionJson = value;
                            else
                                delete message.descriptionJson;
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            Description.getTypeUrl = function(prefix) {
                if (prefix === $undefined)
                    prefix = "type.googleapis.com";
                return prefix + "/swarm.dispatcher.Description";
            };

            return Description;
        })();

        dispatcher.Leaving = (function() {

            const Leaving = function (properties) {
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            Leaving.create = function(properties) {
                return new Leaving(properties);
            };

            Leaving.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            Leaving.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.swarm.dispatcher.Leaving();
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    reader.skipType(tag & 7, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            Leaving.getTypeUrl = function(prefix) {
                if (prefix === $undefined)
                    prefix = "type.googleapis.com";
                return prefix + "/swarm.dispatcher.Leaving";
            };

            return Leaving;
        })();

        dispatcher.TunnelFailed = (function() {

            const TunnelFailed = function (properties) {
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            TunnelFailed.prototype.tunnelId = "";
            TunnelFailed.prototype.message = "";

            TunnelFailed.create = function(properties) {
                return new TunnelFailed(properties);
            };

            TunnelFailed.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.tunnelId != null && $Object.hasOwnProperty.call(message, "tunnelId") && message.tunnelId !== "")
                    writer.uint32(10).string(message.tunnelId);
                if (message.message != null && $Object.hasOwnProperty.call(message, "message") && message.message !== "")
                    writer.uint32(18).string(message.message);
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            TunnelFailed.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.swarm.dispatcher.TunnelFailed();
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.tunnelId = value;
                            else
                                delete message.tunnelId;
                            continue;
                        }
                    case 2: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.message = value;
                            else
                                delete message.message;
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            TunnelFailed.getTypeUrl = function(prefix) {
                if (prefix === $undefined)
                    prefix = "type.googleapis.com";
                return prefix + "/swarm.dispatcher.TunnelFailed";
            };

            return TunnelFailed;
        })();

        dispatcher.NetworkApplied = (function() {

            const NetworkApplied = function (properties) {
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            NetworkApplied.prototype.index = $util.Long ? $util.Long.fromBits(0,0,true) : 0;

            NetworkApplied.create = function(properties) {
                return new NetworkApplied(properties);
            };

            NetworkApplied.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.index != null && $Object.hasOwnProperty.call(message, "index") && (typeof message.index === "object" ? message.index.low || message.index.high : message.index !== 0))
                    writer.uint32(8).uint64(message.index);
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            NetworkApplied.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.swarm.dispatcher.NetworkApplied();
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 0)
                                break;
                            if (typeof (value = reader.uint64()) === "object" ? value.low || value.high : value !== 0)
                                message.index = value;
                            else
                                delete message.index;
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            NetworkApplied.getTypeUrl = function(prefix) {
                if (prefix === $undefined)
                    prefix = "type.googleapis.com";
                return prefix + "/swarm.dispatcher.NetworkApplied";
            };

            return NetworkApplied;
        })();

        dispatcher.AgentMessage = (function() {

            const AgentMessage = function (properties) {
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            AgentMessage.prototype.hello = null;
            AgentMessage.prototype.heartbeat = null;
            AgentMessage.prototype.statuses = null;
            AgentMessage.prototype.description = null;
            AgentMessage.prototype.leaving = null;
            AgentMessage.prototype.tunnelFailed = null;
            AgentMessage.prototype.networkApplied = null;

            let $oneOfFields;

            $Object.defineProperty(AgentMessage.prototype, "message", {
                get: $util.oneOfGetter($oneOfFields = ["hello", "heartbeat", "statuses", "description", "leaving", "tunnelFailed", "networkApplied"]),
                set: $util.oneOfSetter($oneOfFields)
            });

            AgentMessage.create = function(properties) {
                return new AgentMessage(properties);
            };

            AgentMessage.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.hello != null && $Object.hasOwnProperty.call(message, "hello"))
                    $root.swarm.dispatcher.Hello.encode(message.hello, writer.uint32(10).fork(), _depth + 1).ldelim();
                if (message.heartbeat != null && $Object.hasOwnProperty.call(message, "heartbeat"))
                    $root.swarm.dispatcher.Heartbeat.encode(message.heartbeat, writer.uint32(18).fork(), _depth + 1).ldelim();
                if (message.statuses != null && $Object.hasOwnProperty.call(message, "statuses"))
                    $root.swarm.dispatcher.StatusBatch.encode(message.statuses, writer.uint32(26).fork(), _depth + 1).ldelim();
                if (message.description != null && $Object.hasOwnProperty.call(message, "description"))
                    $root.swarm.dispatcher.Description.encode(message.description, writer.uint32(34).fork(), _depth + 1).ldelim();
                if (message.leaving != null && $Object.hasOwnProperty.call(message, "leaving"))
                    $root.swarm.dispatcher.Leaving.encode(message.leaving, writer.uint32(42).fork(), _depth + 1).ldelim();
                if (message.tunnelFailed != null && $Object.hasOwnProperty.call(message, "tunnelFailed"))
                    $root.swarm.dispatcher.TunnelFailed.encode(message.tunnelFailed, writer.uint32(50).fork(), _depth + 1).ldelim();
                if (message.networkApplied != null && $Object.hasOwnProperty.call(message, "networkApplied"))
                    $root.swarm.dispatcher.NetworkApplied.encode(message.networkApplied, writer.uint32(58).fork(), _depth + 1).ldelim();
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            AgentMessage.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.swarm.dispatcher.AgentMessage();
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 2)
                                break;
                            message.hello = $root.swarm.dispatcher.Hello.decode(reader, reader.size(), $undefined, _depth + 1, message.hello);
                            message.message = "hello";
                            continue;
                        }
                    case 2: {
                            if (wireType !== 2)
                                break;
                            message.heartbeat = $root.swarm.dispatcher.Heartbeat.decode(reader, reader.size(), $undefined, _depth + 1, message.heartbeat);
                            message.message = "heartbeat";
                            continue;
                        }
                    case 3: {
                            if (wireType !== 2)
                                break;
                            message.statuses = $root.swarm.dispatcher.StatusBatch.decode(reader, reader.size(), $undefined, _depth + 1, message.statuses);
                            message.message = "statuses";
                            continue;
                        }
                    case 4: {
                            if (wireType !== 2)
                                break;
                            message.description = $root.swarm.dispatcher.Description.decode(reader, reader.size(), $undefined, _depth + 1, message.description);
                            message.message = "description";
                            continue;
                        }
                    case 5: {
                            if (wireType !== 2)
                                break;
                            message.leaving = $root.swarm.dispatcher.Leaving.decode(reader, reader.size(), $undefined, _depth + 1, message.leaving);
                            message.message = "leaving";
                            continue;
                        }
                    case 6: {
                            if (wireType !== 2)
                                break;
                            message.tunnelFailed = $root.swarm.dispatcher.TunnelFailed.decode(reader, reader.size(), $undefined, _depth + 1, message.tunnelFailed);
                            message.message = "tunnelFailed";
                            continue;
                        }
                    case 7: {
                            if (wireType !== 2)
                                break;
                            message.networkApplied = $root.swarm.dispatcher.NetworkApplied.decode(reader, reader.size(), $undefined, _depth + 1, message.networkApplied);
                            message.message = "networkApplied";
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            AgentMessage.getTypeUrl = function(prefix) {
                if (prefix === $undefined)
                    prefix = "type.googleapis.com";
                return prefix + "/swarm.dispatcher.AgentMessage";
            };

            return AgentMessage;
        })();

        dispatcher.ManagerAddr = (function() {

            const ManagerAddr = function (properties) {
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            ManagerAddr.prototype.nodeId = "";
            ManagerAddr.prototype.addr = "";

            ManagerAddr.create = function(properties) {
                return new ManagerAddr(properties);
            };

            ManagerAddr.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.nodeId != null && $Object.hasOwnProperty.call(message, "nodeId") && message.nodeId !== "")
                    writer.uint32(10).string(message.nodeId);
                if (message.addr != null && $Object.hasOwnProperty.call(message, "addr") && message.addr !== "")
                    writer.uint32(18).string(message.addr);
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            ManagerAddr.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.swarm.dispatcher.ManagerAddr();
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.nodeId = value;
                            else
                                delete message.nodeId;
                            continue;
                        }
                    case 2: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.addr = value;
                            else
                                delete message.addr;
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            ManagerAddr.getTypeUrl = function(prefix) {
                if (prefix === $undefined)
                    prefix = "type.googleapis.com";
                return prefix + "/swarm.dispatcher.ManagerAddr";
            };

            return ManagerAddr;
        })();

        dispatcher.Welcome = (function() {

            const Welcome = function (properties) {
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            Welcome.prototype.sessionId = "";
            Welcome.prototype.heartbeatPeriodMs = 0;

            Welcome.create = function(properties) {
                return new Welcome(properties);
            };

            Welcome.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.sessionId != null && $Object.hasOwnProperty.call(message, "sessionId") && message.sessionId !== "")
                    writer.uint32(10).string(message.sessionId);
                if (message.heartbeatPeriodMs != null && $Object.hasOwnProperty.call(message, "heartbeatPeriodMs") && message.heartbeatPeriodMs !== 0)
                    writer.uint32(16).uint32(message.heartbeatPeriodMs);
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            Welcome.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.swarm.dispatcher.Welcome();
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.sessionId = value;
                            else
                                delete message.sessionId;
                            continue;
                        }
                    case 2: {
                            if (wireType !== 0)
                                break;
                            if (value = reader.uint32())
                                message.heartbeatPeriodMs = value;
                            else
                                delete message.heartbeatPeriodMs;
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            Welcome.getTypeUrl = function(prefix) {
                if (prefix === $undefined)
                    prefix = "type.googleapis.com";
                return prefix + "/swarm.dispatcher.Welcome";
            };

            return Welcome;
        })();

        dispatcher.HeartbeatAck = (function() {

            const HeartbeatAck = function (properties) {
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            HeartbeatAck.prototype.seq = $util.Long ? $util.Long.fromBits(0,0,true) : 0;
            HeartbeatAck.prototype.heartbeatPeriodMs = 0;

            HeartbeatAck.create = function(properties) {
                return new HeartbeatAck(properties);
            };

            HeartbeatAck.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.seq != null && $Object.hasOwnProperty.call(message, "seq") && (typeof message.seq === "object" ? message.seq.low || message.seq.high : message.seq !== 0))
                    writer.uint32(8).uint64(message.seq);
                if (message.heartbeatPeriodMs != null && $Object.hasOwnProperty.call(message, "heartbeatPeriodMs") && message.heartbeatPeriodMs !== 0)
                    writer.uint32(16).uint32(message.heartbeatPeriodMs);
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            HeartbeatAck.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.swarm.dispatcher.HeartbeatAck();
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 0)
                                break;
                            if (typeof (value = reader.uint64()) === "object" ? value.low || value.high : value !== 0)
                                message.seq = value;
                            else
                                delete message.seq;
                            continue;
                        }
                    case 2: {
                            if (wireType !== 0)
                                break;
                            if (value = reader.uint32())
                                message.heartbeatPeriodMs = value;
                            else
                                delete message.heartbeatPeriodMs;
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            HeartbeatAck.getTypeUrl = function(prefix) {
                if (prefix === $undefined)
                    prefix = "type.googleapis.com";
                return prefix + "/swarm.dispatcher.HeartbeatAck";
            };

            return HeartbeatAck;
        })();

        dispatcher.StatusAck = (function() {

            const StatusAck = function (properties) {
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            StatusAck.prototype.seq = $util.Long ? $util.Long.fromBits(0,0,true) : 0;

            StatusAck.create = function(properties) {
                return new StatusAck(properties);
            };

            StatusAck.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.seq != null && $Object.hasOwnProperty.call(message, "seq") && (typeof message.seq === "object" ? message.seq.low || message.seq.high : message.seq !== 0))
                    writer.uint32(8).uint64(message.seq);
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            StatusAck.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.swarm.dispatcher.StatusAck();
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 0)
                                break;
                            if (typeof (value = reader.uint64()) === "object" ? value.low || value.high : value !== 0)
                                message.seq = value;
                            else
                                delete message.seq;
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            StatusAck.getTypeUrl = function(prefix) {
                if (prefix === $undefined)
                    prefix = "type.googleapis.com";
                return prefix + "/swarm.dispatcher.StatusAck";
            };

            return StatusAck;
        })();

        dispatcher.TaskAssignment = (function() {

            const TaskAssignment = function (properties) {
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            TaskAssignment.prototype.taskId = "";
            TaskAssignment.prototype.serviceId = "";
            TaskAssignment.prototype.serviceName = "";
            TaskAssignment.prototype.slot = 0;
            TaskAssignment.prototype.specRef = 0;
            TaskAssignment.prototype.desiredState = 0;
            TaskAssignment.prototype.notBeforeMs = 0;
            TaskAssignment.prototype.hostPortsJson = $util.newBuffer([]);
            TaskAssignment.prototype.registryAuth = "";
            TaskAssignment.prototype.serviceLabelsJson = $util.newBuffer([]);
            TaskAssignment.prototype.versionIndex = $util.Long ? $util.Long.fromBits(0,0,true) : 0;
            TaskAssignment.prototype.genericResourcesJson = $util.newBuffer([]);
            TaskAssignment.prototype.networksJson = $util.newBuffer([]);
            TaskAssignment.prototype.networkPhase = 0;

            TaskAssignment.create = function(properties) {
                return new TaskAssignment(properties);
            };

            TaskAssignment.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.taskId != null && $Object.hasOwnProperty.call(message, "taskId") && message.taskId !== "")
                    writer.uint32(10).string(message.taskId);
                if (message.serviceId != null && $Object.hasOwnProperty.call(message, "serviceId") && message.serviceId !== "")
                    writer.uint32(18).string(message.serviceId);
                if (message.serviceName != null && $Object.hasOwnProperty.call(message, "serviceName") && message.serviceName !== "")
                    writer.uint32(26).string(message.serviceName);
                if (message.slot != null && $Object.hasOwnProperty.call(message, "slot") && message.slot !== 0)
                    writer.uint32(32).uint32(message.slot);
                if (message.specRef != null && $Object.hasOwnProperty.call(message, "specRef") && message.specRef !== 0)
                    writer.uint32(40).uint32(message.specRef);
                if (message.desiredState != null && $Object.hasOwnProperty.call(message, "desiredState") && message.desiredState !== 0)
                    writer.uint32(48).uint32(message.desiredState);
                if (message.notBeforeMs != null && $Object.hasOwnProperty.call(message, "notBeforeMs") && !$Object.is(message.notBeforeMs, 0))
                    writer.uint32(57).double(message.notBeforeMs);
                if (message.hostPortsJson != null && $Object.hasOwnProperty.call(message, "hostPortsJson") && message.hostPortsJson.length)
                    writer.uint32(66).bytes(message.hostPortsJson);
                if (message.registryAuth != null && $Object.hasOwnProperty.call(message, "registryAuth") && message.registryAuth !== "")
                    writer.uint32(74).string(message.registryAuth);
                if (message.serviceLabelsJson != null && $Object.hasOwnProperty.call(message, "serviceLabelsJson") && message.serviceLabelsJson.length)
                    writer.uint32(82).bytes(message.serviceLabelsJson);
                if (message.versionIndex != null && $Object.hasOwnProperty.call(message, "versionIndex") && (typeof message.versionIndex === "object" ? message.versionIndex.low || message.versionIndex.high : message.versionIndex !== 0))
                    writer.uint32(88).uint64(message.versionIndex);
                if (message.genericResourcesJson != null && $Object.hasOwnProperty.call(message, "genericResourcesJson") && message.genericResourcesJson.length)
                    writer.uint32(322).bytes(message.genericResourcesJson);
                if (message.networksJson != null && $Object.hasOwnProperty.call(message, "networksJson") && message.networksJson.length)
                    writer.uint32(330).bytes(message.networksJson);
                if (message.networkPhase != null && $Object.hasOwnProperty.call(message, "networkPhase") && message.networkPhase !== 0)
                    writer.uint32(336).uint32(message.networkPhase);
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            TaskAssignment.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.swarm.dispatcher.TaskAssignment();
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.taskId = value;
                            else
                                delete message.taskId;
                            continue;
                        }
                    case 2: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.serviceId = value;
                            else
                                delete message.serviceId;
                            continue;
                        }
                    case 3: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.serviceName = value;
                            else
                                delete message.serviceName;
                            continue;
                        }
                    case 4: {
                            if (wireType !== 0)
                                break;
                            if (value = reader.uint32())
                                message.slot = value;
                            else
                                delete message.slot;
                            continue;
                        }
                    case 5: {
                            if (wireType !== 0)
                                break;
                            if (value = reader.uint32())
                                message.specRef = value;
                            else
                                delete message.specRef;
                            continue;
                        }
                    case 6: {
                            if (wireType !== 0)
                                break;
                            if (value = reader.uint32())
                                message.desiredState = value;
                            else
                                delete message.desiredState;
                            continue;
                        }
                    case 7: {
                            if (wireType !== 1)
                                break;
                            if (!$Object.is(value = reader.double(), 0))
                                message.notBeforeMs = value;
                            else
                                delete message.notBeforeMs;
                            continue;
                        }
                    case 8: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.bytes()).length)
                                message.hostPortsJson = value;
                            else
                                delete message.hostPortsJson;
                            continue;
                        }
                    case 9: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.registryAuth = value;
                            else
                                delete message.registryAuth;
                            continue;
                        }
                    case 10: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.bytes()).length)
                                message.serviceLabelsJson = value;
                            else
                                delete message.serviceLabelsJson;
                            continue;
                        }
                    case 11: {
                            if (wireType !== 0)
                                break;
                            if (typeof (value = reader.uint64()) === "object" ? value.low || value.high : value !== 0)
                                message.versionIndex = value;
                            else
                                delete message.versionIndex;
                            continue;
                        }
                    case 40: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.bytes()).length)
                                message.genericResourcesJson = value;
                            else
                                delete message.genericResourcesJson;
                            continue;
                        }
                    case 41: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.bytes()).length)
                                message.networksJson = value;
                            else
                                delete message.networksJson;
                            continue;
                        }
                    case 42: {
                            if (wireType !== 0)
                                break;
                            if (value = reader.uint32())
                                message.networkPhase = value;
                            else
                                delete message.networkPhase;
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            TaskAssignment.getTypeUrl = function(prefix) {
                if (prefix === $undefined)
                    prefix = "type.googleapis.com";
                return prefix + "/swarm.dispatcher.TaskAssignment";
            };

            return TaskAssignment;
        })();

        dispatcher.NetworkAssignments = (function() {

            const NetworkAssignments = function (properties) {
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            NetworkAssignments.prototype.complete = false;
            NetworkAssignments.prototype.appliesTo = $util.Long ? $util.Long.fromBits(0,0,true) : 0;
            NetworkAssignments.prototype.resultsIn = $util.Long ? $util.Long.fromBits(0,0,true) : 0;
            NetworkAssignments.prototype.bodyJson = $util.newBuffer([]);

            NetworkAssignments.create = function(properties) {
                return new NetworkAssignments(properties);
            };

            NetworkAssignments.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.complete != null && $Object.hasOwnProperty.call(message, "complete") && message.complete !== false)
                    writer.uint32(8).bool(message.complete);
                if (message.appliesTo != null && $Object.hasOwnProperty.call(message, "appliesTo") && (typeof message.appliesTo === "object" ? message.appliesTo.low || message.appliesTo.high : message.appliesTo !== 0))
                    writer.uint32(16).uint64(message.appliesTo);
                if (message.resultsIn != null && $Object.hasOwnProperty.call(message, "resultsIn") && (typeof message.resultsIn === "object" ? message.resultsIn.low || message.resultsIn.high : message.resultsIn !== 0))
                    writer.uint32(24).uint64(message.resultsIn);
                if (message.bodyJson != null && $Object.hasOwnProperty.call(message, "bodyJson") && message.bodyJson.length)
                    writer.uint32(34).bytes(message.bodyJson);
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            NetworkAssignments.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.swarm.dispatcher.NetworkAssignments();
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 0)
                                break;
                            if (value = reader.bool())
                                message.complete = value;
                            else
                                delete message.complete;
                            continue;
                        }
                    case 2: {
                            if (wireType !== 0)
                                break;
                            if (typeof (value = reader.uint64()) === "object" ? value.low || value.high : value !== 0)
                                message.appliesTo = value;
                            else
                                delete message.appliesTo;
                            continue;
                        }
                    case 3: {
                            if (wireType !== 0)
                                break;
                            if (typeof (value = reader.uint64()) === "object" ? value.low || value.high : value !== 0)
                                message.resultsIn = value;
                            else
                                delete message.resultsIn;
                            continue;
                        }
                    case 4: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.bytes()).length)
                                message.bodyJson = value;
                            else
                                delete message.bodyJson;
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            NetworkAssignments.getTypeUrl = function(prefix) {
                if (prefix === $undefined)
                    prefix = "type.googleapis.com";
                return prefix + "/swarm.dispatcher.NetworkAssignments";
            };

            return NetworkAssignments;
        })();

        dispatcher.Assignments = (function() {

            const Assignments = function (properties) {
                this.specs = [];
                this.tasks = [];
                this.removedTaskIds = [];
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            Assignments.prototype.complete = false;
            Assignments.prototype.appliesTo = $util.Long ? $util.Long.fromBits(0,0,true) : 0;
            Assignments.prototype.resultsIn = $util.Long ? $util.Long.fromBits(0,0,true) : 0;
            Assignments.prototype.specs = $util.emptyArray;
            Assignments.prototype.tasks = $util.emptyArray;
            Assignments.prototype.removedTaskIds = $util.emptyArray;

            Assignments.create = function(properties) {
                return new Assignments(properties);
            };

            Assignments.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.complete != null && $Object.hasOwnProperty.call(message, "complete") && message.complete !== false)
                    writer.uint32(8).bool(message.complete);
                if (message.appliesTo != null && $Object.hasOwnProperty.call(message, "appliesTo") && (typeof message.appliesTo === "object" ? message.appliesTo.low || message.appliesTo.high : message.appliesTo !== 0))
                    writer.uint32(16).uint64(message.appliesTo);
                if (message.resultsIn != null && $Object.hasOwnProperty.call(message, "resultsIn") && (typeof message.resultsIn === "object" ? message.resultsIn.low || message.resultsIn.high : message.resultsIn !== 0))
                    writer.uint32(24).uint64(message.resultsIn);
                if (message.specs != null && message.specs.length)
                    for (let i = 0; i < message.specs.length; ++i)
                        writer.uint32(34).bytes(message.specs[i]);
                if (message.tasks != null && message.tasks.length)
                    for (let i = 0; i < message.tasks.length; ++i)
                        $root.swarm.dispatcher.TaskAssignment.encode(message.tasks[i], writer.uint32(42).fork(), _depth + 1).ldelim();
                if (message.removedTaskIds != null && message.removedTaskIds.length)
                    for (let i = 0; i < message.removedTaskIds.length; ++i)
                        writer.uint32(50).string(message.removedTaskIds[i]);
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            Assignments.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.swarm.dispatcher.Assignments();
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 0)
                                break;
                            if (value = reader.bool())
                                message.complete = value;
                            else
                                delete message.complete;
                            continue;
                        }
                    case 2: {
                            if (wireType !== 0)
                                break;
                            if (typeof (value = reader.uint64()) === "object" ? value.low || value.high : value !== 0)
                                message.appliesTo = value;
                            else
                                delete message.appliesTo;
                            continue;
                        }
                    case 3: {
                            if (wireType !== 0)
                                break;
                            if (typeof (value = reader.uint64()) === "object" ? value.low || value.high : value !== 0)
                                message.resultsIn = value;
                            else
                                delete message.resultsIn;
                            continue;
                        }
                    case 4: {
                            if (wireType !== 2)
                                break;
                            if (!(message.specs && message.specs.length))
                                message.specs = [];
                            message.specs.push(reader.bytes());
                            continue;
                        }
                    case 5: {
                            if (wireType !== 2)
                                break;
                            if (!(message.tasks && message.tasks.length))
                                message.tasks = [];
                            message.tasks.push($root.swarm.dispatcher.TaskAssignment.decode(reader, reader.size(), $undefined, _depth + 1));
                            continue;
                        }
                    case 6: {
                            if (wireType !== 2)
                                break;
                            if (!(message.removedTaskIds && message.removedTaskIds.length))
                                message.removedTaskIds = [];
                            message.removedTaskIds.push(reader.stringVerify());
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            Assignments.getTypeUrl = function(prefix) {
                if (prefix === $undefined)
                    prefix = "type.googleapis.com";
                return prefix + "/swarm.dispatcher.Assignments";
            };

            return Assignments;
        })();

        dispatcher.NodeUpdate = (function() {

            const NodeUpdate = function (properties) {
                this.managers = [];
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            NodeUpdate.prototype.role = "";
            NodeUpdate.prototype.availability = "";
            NodeUpdate.prototype.rootBundlePem = "";
            NodeUpdate.prototype.managers = $util.emptyArray;
            NodeUpdate.prototype.forceRenew = false;
            NodeUpdate.prototype.hostname = "";

            NodeUpdate.create = function(properties) {
                return new NodeUpdate(properties);
            };

            NodeUpdate.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.role != null && $Object.hasOwnProperty.call(message, "role") && message.role !== "")
                    writer.uint32(10).string(message.role);
                if (message.availability != null && $Object.hasOwnProperty.call(message, "availability") && message.availability !== "")
                    writer.uint32(18).string(message.availability);
                if (message.rootBundlePem != null && $Object.hasOwnProperty.call(message, "rootBundlePem") && message.rootBundlePem !== "")
                    writer.uint32(26).string(message.rootBundlePem);
                if (message.managers != null && message.managers.length)
                    for (let i = 0; i < message.managers.length; ++i)
                        $root.swarm.dispatcher.ManagerAddr.encode(message.managers[i], writer.uint32(34).fork(), _depth + 1).ldelim();
                if (message.forceRenew != null && $Object.hasOwnProperty.call(message, "forceRenew") && message.forceRenew !== false)
                    writer.uint32(40).bool(message.forceRenew);
                if (message.hostname != null && $Object.hasOwnProperty.call(message, "hostname") && message.hostname !== "")
                    writer.uint32(50).string(message.hostname);
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            NodeUpdate.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.swarm.dispatcher.NodeUpdate();
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.role = value;
                            else
                                delete message.role;
                            continue;
                        }
                    case 2: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.availability = value;
                            else
                                delete message.availability;
                            continue;
                        }
                    case 3: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.rootBundlePem = value;
                            else
                                delete message.rootBundlePem;
                            continue;
                        }
                    case 4: {
                            if (wireType !== 2)
                                break;
                            if (!(message.managers && message.managers.length))
                                message.managers = [];
                            message.managers.push($root.swarm.dispatcher.ManagerAddr.decode(reader, reader.size(), $undefined, _depth + 1));
                            continue;
                        }
                    case 5: {
                            if (wireType !== 0)
                                break;
                            if (value = reader.bool())
                                message.forceRenew = value;
                            else
                                delete message.forceRenew;
                            continue;
                        }
                    case 6: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.hostname = value;
                            else
                                delete message.hostname;
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            NodeUpdate.getTypeUrl = function(prefix) {
                if (prefix === $undefined)
                    prefix = "type.googleapis.com";
                return prefix + "/swarm.dispatcher.NodeUpdate";
            };

            return NodeUpdate;
        })();

        dispatcher.Redirect = (function() {

            const Redirect = function (properties) {
                this.managers = [];
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            Redirect.prototype.leaderAddr = "";
            Redirect.prototype.managers = $util.emptyArray;

            Redirect.create = function(properties) {
                return new Redirect(properties);
            };

            Redirect.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.leaderAddr != null && $Object.hasOwnProperty.call(message, "leaderAddr") && message.leaderAddr !== "")
                    writer.uint32(10).string(message.leaderAddr);
                if (message.managers != null && message.managers.length)
                    for (let i = 0; i < message.managers.length; ++i)
                        $root.swarm.dispatcher.ManagerAddr.encode(message.managers[i], writer.uint32(18).fork(), _depth + 1).ldelim();
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            Redirect.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.swarm.dispatcher.Redirect();
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.leaderAddr = value;
                            else
                                delete message.leaderAddr;
                            continue;
                        }
                    case 2: {
                            if (wireType !== 2)
                                break;
                            if (!(message.managers && message.managers.length))
                                message.managers = [];
                            message.managers.push($root.swarm.dispatcher.ManagerAddr.decode(reader, reader.size(), $undefined, _depth + 1));
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            Redirect.getTypeUrl = function(prefix) {
                if (prefix === $undefined)
                    prefix = "type.googleapis.com";
                return prefix + "/swarm.dispatcher.Redirect";
            };

            return Redirect;
        })();

        dispatcher.Removed = (function() {

            const Removed = function (properties) {
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            Removed.create = function(properties) {
                return new Removed(properties);
            };

            Removed.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            Removed.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.swarm.dispatcher.Removed();
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    reader.skipType(tag & 7, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            Removed.getTypeUrl = function(prefix) {
                if (prefix === $undefined)
                    prefix = "type.googleapis.com";
                return prefix + "/swarm.dispatcher.Removed";
            };

            return Removed;
        })();

        dispatcher.OpenTunnel = (function() {

            const OpenTunnel = function (properties) {
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            OpenTunnel.prototype.tunnelId = "";
            OpenTunnel.prototype.managerAddr = "";

            OpenTunnel.create = function(properties) {
                return new OpenTunnel(properties);
            };

            OpenTunnel.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.tunnelId != null && $Object.hasOwnProperty.call(message, "tunnelId") && message.tunnelId !== "")
                    writer.uint32(10).string(message.tunnelId);
                if (message.managerAddr != null && $Object.hasOwnProperty.call(message, "managerAddr") && message.managerAddr !== "")
                    writer.uint32(18).string(message.managerAddr);
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            OpenTunnel.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.swarm.dispatcher.OpenTunnel();
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.tunnelId = value;
                            else
                                delete message.tunnelId;
                            continue;
                        }
                    case 2: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.managerAddr = value;
                            else
                                delete message.managerAddr;
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            OpenTunnel.getTypeUrl = function(prefix) {
                if (prefix === $undefined)
                    prefix = "type.googleapis.com";
                return prefix + "/swarm.dispatcher.OpenTunnel";
            };

            return OpenTunnel;
        })();

        dispatcher.DispatcherMessage = (function() {

            const DispatcherMessage = function (properties) {
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            DispatcherMessage.prototype.welcome = null;
            DispatcherMessage.prototype.heartbeatAck = null;
            DispatcherMessage.prototype.statusAck = null;
            DispatcherMessage.prototype.assignments = null;
            DispatcherMessage.prototype.nodeUpdate = null;
            DispatcherMessage.prototype.redirect = null;
            DispatcherMessage.prototype.removed = null;
            DispatcherMessage.prototype.openTunnel = null;
            DispatcherMessage.prototype.networks = null;

            let $oneOfFields;

            $Object.defineProperty(DispatcherMessage.prototype, "message", {
                get: $util.oneOfGetter($oneOfFields = ["welcome", "heartbeatAck", "statusAck", "assignments", "nodeUpdate", "redirect", "removed", "openTunnel", "networks"]),
                set: $util.oneOfSetter($oneOfFields)
            });

            DispatcherMessage.create = function(properties) {
                return new DispatcherMessage(properties);
            };

            DispatcherMessage.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.welcome != null && $Object.hasOwnProperty.call(message, "welcome"))
                    $root.swarm.dispatcher.Welcome.encode(message.welcome, writer.uint32(10).fork(), _depth + 1).ldelim();
                if (message.heartbeatAck != null && $Object.hasOwnProperty.call(message, "heartbeatAck"))
                    $root.swarm.dispatcher.HeartbeatAck.encode(message.heartbeatAck, writer.uint32(18).fork(), _depth + 1).ldelim();
                if (message.statusAck != null && $Object.hasOwnProperty.call(message, "statusAck"))
                    $root.swarm.dispatcher.StatusAck.encode(message.statusAck, writer.uint32(26).fork(), _depth + 1).ldelim();
                if (message.assignments != null && $Object.hasOwnProperty.call(message, "assignments"))
                    $root.swarm.dispatcher.Assignments.encode(message.assignments, writer.uint32(34).fork(), _depth + 1).ldelim();
                if (message.nodeUpdate != null && $Object.hasOwnProperty.call(message, "nodeUpdate"))
                    $root.swarm.dispatcher.NodeUpdate.encode(message.nodeUpdate, writer.uint32(42).fork(), _depth + 1).ldelim();
                if (message.redirect != null && $Object.hasOwnProperty.call(message, "redirect"))
                    $root.swarm.dispatcher.Redirect.encode(message.redirect, writer.uint32(50).fork(), _depth + 1).ldelim();
                if (message.removed != null && $Object.hasOwnProperty.call(message, "removed"))
                    $root.swarm.dispatcher.Removed.encode(message.removed, writer.uint32(58).fork(), _depth + 1).ldelim();
                if (message.openTunnel != null && $Object.hasOwnProperty.call(message, "openTunnel"))
                    $root.swarm.dispatcher.OpenTunnel.encode(message.openTunnel, writer.uint32(66).fork(), _depth + 1).ldelim();
                if (message.networks != null && $Object.hasOwnProperty.call(message, "networks"))
                    $root.swarm.dispatcher.NetworkAssignments.encode(message.networks, writer.uint32(74).fork(), _depth + 1).ldelim();
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            DispatcherMessage.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.swarm.dispatcher.DispatcherMessage();
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 2)
                                break;
                            message.welcome = $root.swarm.dispatcher.Welcome.decode(reader, reader.size(), $undefined, _depth + 1, message.welcome);
                            message.message = "welcome";
                            continue;
                        }
                    case 2: {
                            if (wireType !== 2)
                                break;
                            message.heartbeatAck = $root.swarm.dispatcher.HeartbeatAck.decode(reader, reader.size(), $undefined, _depth + 1, message.heartbeatAck);
                            message.message = "heartbeatAck";
                            continue;
                        }
                    case 3: {
                            if (wireType !== 2)
                                break;
                            message.statusAck = $root.swarm.dispatcher.StatusAck.decode(reader, reader.size(), $undefined, _depth + 1, message.statusAck);
                            message.message = "statusAck";
                            continue;
                        }
                    case 4: {
                            if (wireType !== 2)
                                break;
                            message.assignments = $root.swarm.dispatcher.Assignments.decode(reader, reader.size(), $undefined, _depth + 1, message.assignments);
                            message.message = "assignments";
                            continue;
                        }
                    case 5: {
                            if (wireType !== 2)
                                break;
                            message.nodeUpdate = $root.swarm.dispatcher.NodeUpdate.decode(reader, reader.size(), $undefined, _depth + 1, message.nodeUpdate);
                            message.message = "nodeUpdate";
                            continue;
                        }
                    case 6: {
                            if (wireType !== 2)
                                break;
                            message.redirect = $root.swarm.dispatcher.Redirect.decode(reader, reader.size(), $undefined, _depth + 1, message.redirect);
                            message.message = "redirect";
                            continue;
                        }
                    case 7: {
                            if (wireType !== 2)
                                break;
                            message.removed = $root.swarm.dispatcher.Removed.decode(reader, reader.size(), $undefined, _depth + 1, message.removed);
                            message.message = "removed";
                            continue;
                        }
                    case 8: {
                            if (wireType !== 2)
                                break;
                            message.openTunnel = $root.swarm.dispatcher.OpenTunnel.decode(reader, reader.size(), $undefined, _depth + 1, message.openTunnel);
                            message.message = "openTunnel";
                            continue;
                        }
                    case 9: {
                            if (wireType !== 2)
                                break;
                            message.networks = $root.swarm.dispatcher.NetworkAssignments.decode(reader, reader.size(), $undefined, _depth + 1, message.networks);
                            message.message = "networks";
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            DispatcherMessage.getTypeUrl = function(prefix) {
                if (prefix === $undefined)
                    prefix = "type.googleapis.com";
                return prefix + "/swarm.dispatcher.DispatcherMessage";
            };

            return DispatcherMessage;
        })();

        return dispatcher;
    })();

    swarm.objects = (function() {

        const objects = {};

        objects.Meta = (function() {

            const Meta = function (properties) {
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            Meta.prototype.id = "";
            Meta.prototype.versionIndex = $util.Long ? $util.Long.fromBits(0,0,true) : 0;
            Meta.prototype.clientIndex = $util.Long ? $util.Long.fromBits(0,0,true) : 0;
            Meta.prototype.createdAtMs = 0;
            Meta.prototype.updatedAtMs = 0;

            Meta.create = function(properties) {
                return new Meta(properties);
            };

            Meta.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.id != null && $Object.hasOwnProperty.call(message, "id") && message.id !== "")
                    writer.uint32(10).string(message.id);
                if (message.versionIndex != null && $Object.hasOwnProperty.call(message, "versionIndex") && (typeof message.versionIndex === "object" ? message.versionIndex.low || message.versionIndex.high : message.versionIndex !== 0))
                    writer.uint32(16).uint64(message.versionIndex);
                if (message.clientIndex != null && $Object.hasOwnProperty.call(message, "clientIndex") && (typeof message.clientIndex === "object" ? message.clientIndex.low || message.clientIndex.high : message.clientIndex !== 0))
                    writer.uint32(24).uint64(message.clientIndex);
                if (message.createdAtMs != null && $Object.hasOwnProperty.call(message, "createdAtMs") && !$Object.is(message.createdAtMs, 0))
                    writer.uint32(33).double(message.createdAtMs);
                if (message.updatedAtMs != null && $Object.hasOwnProperty.call(message, "updatedAtMs") && !$Object.is(message.updatedAtMs, 0))
                    writer.uint32(41).double(message.updatedAtMs);
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            Meta.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.swarm.objects.Meta();
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.id = value;
                            else
                                delete message.id;
                            continue;
                        }
                    case 2: {
                            if (wireType !== 0)
                                break;
                            if (typeof (value = reader.uint64()) === "object" ? value.low || value.high : value !== 0)
                                message.versionIndex = value;
                            else
                                delete message.versionIndex;
                            continue;
                        }
                    case 3: {
                            if (wireType !== 0)
                                break;
                            if (typeof (value = reader.uint64()) === "object" ? value.low || value.high : value !== 0)
                                message.clientIndex = value;
                            else
                                delete message.clientIndex;
                            continue;
                        }
                    case 4: {
                            if (wireType !== 1)
                                break;
                            if (!$Object.is(value = reader.double(), 0))
                                message.createdAtMs = value;
                            else
                                delete message.createdAtMs;
                            continue;
                        }
                    case 5: {
                            if (wireType !== 1)
                                break;
                            if (!$Object.is(value = reader.double(), 0))
                                message.updatedAtMs = value;
                            else
                                delete message.updatedAtMs;
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            Meta.getTypeUrl = function(prefix) {
                if (prefix === $undefined)
                    prefix = "type.googleapis.com";
                return prefix + "/swarm.objects.Meta";
            };

            return Meta;
        })();

        objects.DeniedNode = (function() {

            const DeniedNode = function (properties) {
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            DeniedNode.prototype.nodeId = "";
            DeniedNode.prototype.untilMs = 0;

            DeniedNode.create = function(properties) {
                return new DeniedNode(properties);
            };

            DeniedNode.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.nodeId != null && $Object.hasOwnProperty.call(message, "nodeId") && message.nodeId !== "")
                    writer.uint32(10).string(message.nodeId);
                if (message.untilMs != null && $Object.hasOwnProperty.call(message, "untilMs") && !$Object.is(message.untilMs, 0))
                    writer.uint32(17).double(message.untilMs);
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            DeniedNode.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.swarm.objects.DeniedNode();
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.nodeId = value;
                            else
                                delete message.nodeId;
                            continue;
                        }
                    case 2: {
                            if (wireType !== 1)
                                break;
                            if (!$Object.is(value = reader.double(), 0))
                                message.untilMs = value;
                            else
                                delete message.untilMs;
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            DeniedNode.getTypeUrl = function(prefix) {
                if (prefix === $undefined)
                    prefix = "type.googleapis.com";
                return prefix + "/swarm.objects.DeniedNode";
            };

            return DeniedNode;
        })();

        objects.Cluster = (function() {

            const Cluster = function (properties) {
                this.defaultAddrPool = [];
                this.deniedNodes = [];
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            Cluster.prototype.meta = null;
            Cluster.prototype.specJson = $util.newBuffer([]);
            Cluster.prototype.rootCertPem = "";
            Cluster.prototype.rootKeyPem = "";
            Cluster.prototype.workerToken = "";
            Cluster.prototype.managerToken = "";
            Cluster.prototype.defaultAddrPool = $util.emptyArray;
            Cluster.prototype.subnetSize = 0;
            Cluster.prototype.dataPathPort = 0;
            Cluster.prototype.deniedNodes = $util.emptyArray;
            Cluster.prototype.unlockKey = "";

            Cluster.create = function(properties) {
                return new Cluster(properties);
            };

            Cluster.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.meta != null && $Object.hasOwnProperty.call(message, "meta"))
                    $root.swarm.objects.Meta.encode(message.meta, writer.uint32(10).fork(), _depth + 1).ldelim();
                if (message.specJson != null && $Object.hasOwnProperty.call(message, "specJson") && message.specJson.length)
                    writer.uint32(18).bytes(message.specJson);
                if (message.rootCertPem != null && $Object.hasOwnProperty.call(message, "rootCertPem") && message.rootCertPem !== "")
                    writer.uint32(26).string(message.rootCertPem);
                if (message.rootKeyPem != null && $Object.hasOwnProperty.call(message, "rootKeyPem") && message.rootKeyPem !== "")
                    writer.uint32(34).string(message.rootKeyPem);
                if (message.workerToken != null && $Object.hasOwnProperty.call(message, "workerToken") && message.workerToken !== "")
                    writer.uint32(42).string(message.workerToken);
                if (message.managerToken != null && $Object.hasOwnProperty.call(message, "managerToken") && message.managerToken !== "")
                    writer.uint32(50).string(message.managerToken);
                if (message.defaultAddrPool != null && message.defaultAddrPool.length)
                    for (let i = 0; i < message.defaultAddrPool.length; ++i)
                        writer.uint32(58).string(message.defaultAddrPool[i]);
                if (message.subnetSize != null && $Object.hasOwnProperty.call(message, "subnetSize") && message.subnetSize !== 0)
                    writer.uint32(64).uint32(message.subnetSize);
                if (message.dataPathPort != null && $Object.hasOwnProperty.call(message, "dataPathPort") && message.dataPathPort !== 0)
                    writer.uint32(72).uint32(message.dataPathPort);
                if (message.deniedNodes != null && message.deniedNodes.length)
                    for (let i = 0; i < message.deniedNodes.length; ++i)
                        $root.swarm.objects.DeniedNode.encode(message.deniedNodes[i], writer.uint32(82).fork(), _depth + 1).ldelim();
                if (message.unlockKey != null && $Object.hasOwnProperty.call(message, "unlockKey") && message.unlockKey !== "")
                    writer.uint32(90).string(message.unlockKey);
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            Cluster.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.swarm.objects.Cluster();
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 2)
                                break;
                            message.meta = $root.swarm.objects.Meta.decode(reader, reader.size(), $undefined, _depth + 1, message.meta);
                            continue;
                        }
                    case 2: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.bytes()).length)
                                message.specJson = value;
                            else
                                delete message.specJson;
                            continue;
                        }
                    case 3: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.rootCertPem = value;
                            else
                                delete message.rootCertPem;
                            continue;
                        }
                    case 4: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.rootKeyPem = value;
                            else
                                delete message.rootKeyPem;
                            continue;
                        }
                    case 5: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.workerToken = value;
                            else
                                delete message.workerToken;
                            continue;
                        }
                    case 6: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.managerToken = value;
                            else
                                delete message.managerToken;
                            continue;
                        }
                    case 7: {
                            if (wireType !== 2)
                                break;
                            if (!(message.defaultAddrPool && message.defaultAddrPool.length))
                                message.defaultAddrPool = [];
                            message.defaultAddrPool.push(reader.stringVerify());
                            continue;
                        }
                    case 8: {
                            if (wireType !== 0)
                                break;
                            if (value = reader.uint32())
                                message.subnetSize = value;
                            else
                                delete message.subnetSize;
                            continue;
                        }
                    case 9: {
                            if (wireType !== 0)
                                break;
                            if (value = reader.uint32())
                                message.dataPathPort = value;
                            else
                                delete message.dataPathPort;
                            continue;
                        }
                    case 10: {
                            if (wireType !== 2)
                                break;
                            if (!(message.deniedNodes && message.deniedNodes.length))
                                message.deniedNodes = [];
                            message.deniedNodes.push($root.swarm.objects.DeniedNode.decode(reader, reader.size(), $undefined, _depth + 1));
                            continue;
                        }
                    case 11: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.unlockKey = value;
                            else
                                delete message.unlockKey;
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            Cluster.getTypeUrl = function(prefix) {
                if (prefix === $undefined)
                    prefix = "type.googleapis.com";
                return prefix + "/swarm.objects.Cluster";
            };

            return Cluster;
        })();

        objects.RaftMember = (function() {

            const RaftMember = function (properties) {
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            RaftMember.prototype.memberId = "";
            RaftMember.prototype.addr = "";

            RaftMember.create = function(properties) {
                return new RaftMember(properties);
            };

            RaftMember.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.memberId != null && $Object.hasOwnProperty.call(message, "memberId") && message.memberId !== "")
                    writer.uint32(10).string(message.memberId);
                if (message.addr != null && $Object.hasOwnProperty.call(message, "addr") && message.addr !== "")
                    writer.uint32(18).string(message.addr);
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            RaftMember.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.swarm.objects.RaftMember();
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.memberId = value;
                            else
                                delete message.memberId;
                            continue;
                        }
                    case 2: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.addr = value;
                            else
                                delete message.addr;
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            RaftMember.getTypeUrl = function(prefix) {
                if (prefix === $undefined)
                    prefix = "type.googleapis.com";
                return prefix + "/swarm.objects.RaftMember";
            };

            return RaftMember;
        })();

        objects.Node = (function() {

            const Node = function (properties) {
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            Node.prototype.meta = null;
            Node.prototype.specJson = $util.newBuffer([]);
            Node.prototype.role = "";
            Node.prototype.descriptionJson = $util.newBuffer([]);
            Node.prototype.state = "";
            Node.prototype.stateMessage = "";
            Node.prototype.addr = "";
            Node.prototype.manager = null;
            Node.prototype.nodeIndex = 0;
            Node.prototype.bootId = "";
            Node.prototype.downSinceMs = 0;
            Node.prototype.drainSinceMs = 0;

            Node.create = function(properties) {
                return new Node(properties);
            };

            Node.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.meta != null && $Object.hasOwnProperty.call(message, "meta"))
                    $root.swarm.objects.Meta.encode(message.meta, writer.uint32(10).fork(), _depth + 1).ldelim();
                if (message.specJson != null && $Object.hasOwnProperty.call(message, "specJson") && message.specJson.length)
                    writer.uint32(18).bytes(message.specJson);
                if (message.role != null && $Object.hasOwnProperty.call(message, "role") && message.role !== "")
                    writer.uint32(26).string(message.role);
                if (message.descriptionJson != null && $Object.hasOwnProperty.call(message, "descriptionJson") && message.descriptionJson.length)
                    writer.uint32(34).bytes(message.descriptionJson);
                if (message.state != null && $Object.hasOwnProperty.call(message, "state") && message.state !== "")
                    writer.uint32(42).string(message.state);
                if (message.stateMessage != null && $Object.hasOwnProperty.call(message, "stateMessage") && message.stateMessage !== "")
                    writer.uint32(50).string(message.stateMessage);
                if (message.addr != null && $Object.hasOwnProperty.call(message, "addr") && message.addr !== "")
                    writer.uint32(58).string(message.addr);
                if (message.manager != null && $Object.hasOwnProperty.call(message, "manager"))
                    $root.swarm.objects.RaftMember.encode(message.manager, writer.uint32(66).fork(), _depth + 1).ldelim();
                if (message.nodeIndex != null && $Object.hasOwnProperty.call(message, "nodeIndex") && message.nodeIndex !== 0)
                    writer.uint32(72).uint32(message.nodeIndex);
                if (message.bootId != null && $Object.hasOwnProperty.call(message, "bootId") && message.bootId !== "")
                    writer.uint32(82).string(message.bootId);
                if (message.downSinceMs != null && $Object.hasOwnProperty.call(message, "downSinceMs") && !$Object.is(message.downSinceMs, 0))
                    writer.uint32(89).double(message.downSinceMs);
                if (message.drainSinceMs != null && $Object.hasOwnProperty.call(message, "drainSinceMs") && !$Object.is(message.drainSinceMs, 0))
                    writer.uint32(97).double(message.drainSinceMs);
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            Node.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.swarm.objects.Node();
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 2)
                                break;
                            message.meta = $root.swarm.objects.Meta.decode(reader, reader.size(), $undefined, _depth + 1, message.meta);
                            continue;
                        }
                    case 2: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.bytes()).length)
                                message.specJson = value;
                            else
                                delete message.specJson;
                            continue;
                        }
                    case 3: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.role = value;
                            else
                                delete message.role;
                            continue;
                        }
                    case 4: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.bytes()).length)
                                message.descriptionJson = value;
                            else
                                delete message.descriptionJson;
                            continue;
                        }
                    case 5: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.state = value;
                            else
                                delete message.state;
                            continue;
                        }
                    case 6: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.stateMessage = value;
                            else
                                delete message.stateMessage;
                            continue;
                        }
                    case 7: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.addr = value;
                            else
                                delete message.addr;
                            continue;
                        }
                    case 8: {
                            if (wireType !== 2)
                                break;
                            message.manager = $root.swarm.objects.RaftMember.decode(reader, reader.size(), $undefined, _depth + 1, message.manager);
                            continue;
                        }
                    case 9: {
                            if (wireType !== 0)
                                break;
                            if (value = reader.uint32())
                                message.nodeIndex = value;
                            else
                                delete message.nodeIndex;
                            continue;
                        }
                    case 10: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.bootId = value;
                            else
                                delete message.bootId;
                            continue;
                        }
                    case 11: {
                            if (wireType !== 1)
                                break;
                            if (!$Object.is(value = reader.double(), 0))
                                message.downSinceMs = value;
                            else
                                delete message.downSinceMs;
                            continue;
                        }
                    case 12: {
                            if (wireType !== 1)
                                break;
                            if (!$Object.is(value = reader.double(), 0))
                                message.drainSinceMs = value;
                            else
                                delete message.drainSinceMs;
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            Node.getTypeUrl = function(prefix) {
                if (prefix === $undefined)
                    prefix = "type.googleapis.com";
                return prefix + "/swarm.objects.Node";
            };

            return Node;
        })();

        objects.UpdateStatus = (function() {

            const UpdateStatus = function (properties) {
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            UpdateStatus.prototype.state = "";
            UpdateStatus.prototype.startedAtMs = 0;
            UpdateStatus.prototype.completedAtMs = 0;
            UpdateStatus.prototype.message = "";

            UpdateStatus.create = function(properties) {
                return new UpdateStatus(properties);
            };

            UpdateStatus.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.state != null && $Object.hasOwnProperty.call(message, "state") && message.state !== "")
                    writer.uint32(10).string(message.state);
                if (message.startedAtMs != null && $Object.hasOwnProperty.call(message, "startedAtMs") && !$Object.is(message.startedAtMs, 0))
                    writer.uint32(17).double(message.startedAtMs);
                if (message.completedAtMs != null && $Object.hasOwnProperty.call(message, "completedAtMs") && !$Object.is(message.completedAtMs, 0))
                    writer.uint32(25).double(message.completedAtMs);
                if (message.message != null && $Object.hasOwnProperty.call(message, "message") && message.message !== "")
                    writer.uint32(34).string(message.message);
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            UpdateStatus.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.swarm.objects.UpdateStatus();
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.state = value;
                            else
                                delete message.state;
                            continue;
                        }
                    case 2: {
                            if (wireType !== 1)
                                break;
                            if (!$Object.is(value = reader.double(), 0))
                                message.startedAtMs = value;
                            else
                                delete message.startedAtMs;
                            continue;
                        }
                    case 3: {
                            if (wireType !== 1)
                                break;
                            if (!$Object.is(value = reader.double(), 0))
                                message.completedAtMs = value;
                            else
                                delete message.completedAtMs;
                            continue;
                        }
                    case 4: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.message = value;
                            else
                                delete message.message;
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            UpdateStatus.getTypeUrl = function(prefix) {
                if (prefix === $undefined)
                    prefix = "type.googleapis.com";
                return prefix + "/swarm.objects.UpdateStatus";
            };

            return UpdateStatus;
        })();

        objects.ScheduleState = (function() {

            const ScheduleState = function (properties) {
                this.runs = [];
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            ScheduleState.prototype.nextTickMs = 0;
            ScheduleState.prototype.lastTickMs = 0;
            ScheduleState.prototype.missedCount = 0;
            ScheduleState.prototype.skippedCount = 0;
            ScheduleState.prototype.runs = $util.emptyArray;

            ScheduleState.create = function(properties) {
                return new ScheduleState(properties);
            };

            ScheduleState.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.nextTickMs != null && $Object.hasOwnProperty.call(message, "nextTickMs") && !$Object.is(message.nextTickMs, 0))
                    writer.uint32(9).double(message.nextTickMs);
                if (message.lastTickMs != null && $Object.hasOwnProperty.call(message, "lastTickMs") && !$Object.is(message.lastTickMs, 0))
                    writer.uint32(17).double(message.lastTickMs);
                if (message.missedCount != null && $Object.hasOwnProperty.call(message, "missedCount") && message.missedCount !== 0)
                    writer.uint32(24).uint32(message.missedCount);
                if (message.skippedCount != null && $Object.hasOwnProperty.call(message, "skippedCount") && message.skippedCount !== 0)
                    writer.uint32(32).uint32(message.skippedCount);
                if (message.runs != null && message.runs.length)
                    writer.uint32(42).uint32s(message.runs);
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            ScheduleState.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.swarm.objects.ScheduleState();
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 1)
                                break;
                            if (!$Object.is(value = reader.double(), 0))
                                message.nextTickMs = value;
                            else
                                delete message.nextTickMs;
                            continue;
                        }
                    case 2: {
                            if (wireType !== 1)
                                break;
                            if (!$Object.is(value = reader.double(), 0))
                                message.lastTickMs = value;
                            else
                                delete message.lastTickMs;
                            continue;
                        }
                    case 3: {
                            if (wireType !== 0)
                                break;
                            if (value = reader.uint32())
                                message.missedCount = value;
                            else
                                delete message.missedCount;
                            continue;
                        }
                    case 4: {
                            if (wireType !== 0)
                                break;
                            if (value = reader.uint32())
                                message.skippedCount = value;
                            else
                                delete message.skippedCount;
                            continue;
                        }
                    case 5: {
                            if (wireType === 2) {
                                if (!(message.runs && message.runs.length))
                                    message.runs = [];
                                reader.uint32s(message.runs);
                                continue;
                            }
                            if (wireType !== 0)
                                break;
                            if (!(message.runs && message.runs.length))
                                message.runs = [];
                            message.runs.push(reader.uint32());
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            ScheduleState.getTypeUrl = function(prefix) {
                if (prefix === $undefined)
                    prefix = "type.googleapis.com";
                return prefix + "/swarm.objects.ScheduleState";
            };

            return ScheduleState;
        })();

        objects.TaskMove = (function() {

            const TaskMove = function (properties) {
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            TaskMove.prototype.taskId = "";
            TaskMove.prototype.newTaskId = "";
            TaskMove.prototype.atMs = 0;

            TaskMove.create = function(properties) {
                return new TaskMove(properties);
            };

            TaskMove.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.taskId != null && $Object.hasOwnProperty.call(message, "taskId") && message.taskId !== "")
                    writer.uint32(10).string(message.taskId);
                if (message.newTaskId != null && $Object.hasOwnProperty.call(message, "newTaskId") && message.newTaskId !== "")
                    writer.uint32(18).string(message.newTaskId);
                if (message.atMs != null && $Object.hasOwnProperty.call(message, "atMs") && !$Object.is(message.atMs, 0))
                    writer.uint32(25).double(message.atMs);
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            TaskMove.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.swarm.objects.TaskMove();
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.taskId = value;
                            else
                                delete message.taskId;
                            continue;
                        }
                    case 2: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.newTaskId = value;
                            else
                                delete message.newTaskId;
                            continue;
                        }
                    case 3: {
                            if (wireType !== 1)
                                break;
                            if (!$Object.is(value = reader.double(), 0))
                                message.atMs = value;
                            else
                                delete message.atMs;
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            TaskMove.getTypeUrl = function(prefix) {
                if (prefix === $undefined)
                    prefix = "type.googleapis.com";
                return prefix + "/swarm.objects.TaskMove";
            };

            return TaskMove;
        })();

        objects.RebalanceState = (function() {

            const RebalanceState = function (properties) {
                this.moves = [];
                this.begunAtMs = [];
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            RebalanceState.prototype.state = "";
            RebalanceState.prototype.isManual = false;
            RebalanceState.prototype.startedAtMs = 0;
            RebalanceState.prototype.endedAtMs = 0;
            RebalanceState.prototype.movedCount = 0;
            RebalanceState.prototype.failedCount = 0;
            RebalanceState.prototype.imbalanceBefore = 0;
            RebalanceState.prototype.imbalanceAfter = 0;
            RebalanceState.prototype.message = "";
            RebalanceState.prototype.moves = $util.emptyArray;
            RebalanceState.prototype.begunAtMs = $util.emptyArray;

            RebalanceState.create = function(properties) {
                return new RebalanceState(properties);
            };

            RebalanceState.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.state != null && $Object.hasOwnProperty.call(message, "state") && message.state !== "")
                    writer.uint32(10).string(message.state);
                if (message.isManual != null && $Object.hasOwnProperty.call(message, "isManual") && message.isManual !== false)
                    writer.uint32(16).bool(message.isManual);
                if (message.startedAtMs != null && $Object.hasOwnProperty.call(message, "startedAtMs") && !$Object.is(message.startedAtMs, 0))
                    writer.uint32(25).double(message.startedAtMs);
                if (message.endedAtMs != null && $Object.hasOwnProperty.call(message, "endedAtMs") && !$Object.is(message.endedAtMs, 0))
                    writer.uint32(33).double(message.endedAtMs);
                if (message.movedCount != null && $Object.hasOwnProperty.call(message, "movedCount") && message.movedCount !== 0)
                    writer.uint32(40).uint32(message.movedCount);
                if (message.failedCount != null && $Object.hasOwnProperty.call(message, "failedCount") && message.failedCount !== 0)
                    writer.uint32(48).uint32(message.failedCount);
                if (message.imbalanceBefore != null && $Object.hasOwnProperty.call(message, "imbalanceBefore") && message.imbalanceBefore !== 0)
                    writer.uint32(56).uint32(message.imbalanceBefore);
                if (message.imbalanceAfter != null && $Object.hasOwnProperty.call(message, "imbalanceAfter") && message.imbalanceAfter !== 0)
                    writer.uint32(64).uint32(message.imbalanceAfter);
                if (message.message != null && $Object.hasOwnProperty.call(message, "message") && message.message !== "")
                    writer.uint32(74).string(message.message);
                if (message.moves != null && message.moves.length)
                    for (let i = 0; i < message.moves.length; ++i)
                        $root.swarm.objects.TaskMove.encode(message.moves[i], writer.uint32(82).fork(), _depth + 1).ldelim();
                if (message.begunAtMs != null && message.begunAtMs.length)
                    writer.uint32(90).doubles(message.begunAtMs);
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            RebalanceState.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.swarm.objects.RebalanceState();
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.state = value;
                            else
                                delete message.state;
                            continue;
                        }
                    case 2: {
                            if (wireType !== 0)
                                break;
                            if (value = reader.bool())
                                message.isManual = value;
                            else
                                delete message.isManual;
                            continue;
                        }
                    case 3: {
                            if (wireType !== 1)
                                break;
                            if (!$Object.is(value = reader.double(), 0))
                                message.startedAtMs = value;
                            else
                                delete message.startedAtMs;
                            continue;
                        }
                    case 4: {
                            if (wireType !== 1)
                                break;
                            if (!$Object.is(value = reader.double(), 0))
                                message.endedAtMs = value;
                            else
                                delete message.endedAtMs;
                            continue;
                        }
                    case 5: {
                            if (wireType !== 0)
                                break;
                            if (value = reader.uint32())
                                message.movedCount = value;
                            else
                                delete message.movedCount;
                            continue;
                        }
                    case 6: {
                            if (wireType !== 0)
                                break;
                            if (value = reader.uint32())
                                message.failedCount = value;
                            else
                                delete message.failedCount;
                            continue;
                        }
                    case 7: {
                            if (wireType !== 0)
                                break;
                            if (value = reader.uint32())
                                message.imbalanceBefore = value;
                            else
                                delete message.imbalanceBefore;
                            continue;
                        }
                    case 8: {
                            if (wireType !== 0)
                                break;
                            if (value = reader.uint32())
                                message.imbalanceAfter = value;
                            else
                                delete message.imbalanceAfter;
                            continue;
                        }
                    case 9: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.message = value;
                            else
                                delete message.message;
                            continue;
                        }
                    case 10: {
                            if (wireType !== 2)
                                break;
                            if (!(message.moves && message.moves.length))
                                message.moves = [];
                            message.moves.push($root.swarm.objects.TaskMove.decode(reader, reader.size(), $undefined, _depth + 1));
                            continue;
                        }
                    case 11: {
                            if (wireType === 2) {
                                if (!(message.begunAtMs && message.begunAtMs.length))
                                    message.begunAtMs = [];
                                reader.doubles(message.begunAtMs);
                                continue;
                            }
                            if (wireType !== 1)
                                break;
                            if (!(message.begunAtMs && message.begunAtMs.length))
                                message.begunAtMs = [];
                            message.begunAtMs.push(reader.double());
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            RebalanceState.getTypeUrl = function(prefix) {
                if (prefix === $undefined)
                    prefix = "type.googleapis.com";
                return prefix + "/swarm.objects.RebalanceState";
            };

            return RebalanceState;
        })();

        objects.SpecRevision = (function() {

            const SpecRevision = function (properties) {
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            SpecRevision.prototype.version = $util.Long ? $util.Long.fromBits(0,0,true) : 0;
            SpecRevision.prototype.atMs = 0;
            SpecRevision.prototype.specJson = $util.newBuffer([]);
            SpecRevision.prototype.registryAuth = "";
            SpecRevision.prototype.by = "";
            SpecRevision.prototype.isAutomatic = false;

            SpecRevision.create = function(properties) {
                return new SpecRevision(properties);
            };

            SpecRevision.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.version != null && $Object.hasOwnProperty.call(message, "version") && (typeof message.version === "object" ? message.version.low || message.version.high : message.version !== 0))
                    writer.uint32(8).uint64(message.version);
                if (message.atMs != null && $Object.hasOwnProperty.call(message, "atMs") && !$Object.is(message.atMs, 0))
                    writer.uint32(17).double(message.atMs);
                if (message.specJson != null && $Object.hasOwnProperty.call(message, "specJson") && message.specJson.length)
                    writer.uint32(26).bytes(message.specJson);
                if (message.registryAuth != null && $Object.hasOwnProperty.call(message, "registryAuth") && message.registryAuth !== "")
                    writer.uint32(34).string(message.registryAuth);
                if (message.by != null && $Object.hasOwnProperty.call(message, "by") && message.by !== "")
                    writer.uint32(42).string(message.by);
                if (message.isAutomatic != null && $Object.hasOwnProperty.call(message, "isAutomatic") && message.isAutomatic !== false)
                    writer.uint32(48).bool(message.isAutomatic);
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            SpecRevision.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.swarm.objects.SpecRevision();
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 0)
                                break;
                            if (typeof (value = reader.uint64()) === "object" ? value.low || value.high : value !== 0)
                                message.version = value;
                            else
                                delete message.version;
                            continue;
                        }
                    case 2: {
                            if (wireType !== 1)
                                break;
                            if (!$Object.is(value = reader.double(), 0))
                                message.atMs = value;
                            else
                                delete message.atMs;
                            continue;
                        }
                    case 3: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.bytes()).length)
                                message.specJson = value;
                            else
                                delete message.specJson;
                            continue;
                        }
                    case 4: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.registryAuth = value;
                            else
                                delete message.registryAuth;
                            continue;
                        }
                    case 5: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.by = value;
                            else
                                delete message.by;
                            continue;
                        }
                    case 6: {
                            if (wireType !== 0)
                                break;
                            if (value = reader.bool())
                                message.isAutomatic = value;
                            else
                                delete message.isAutomatic;
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            SpecRevision.getTypeUrl = function(prefix) {
                if (prefix === $undefined)
                    prefix = "type.googleapis.com";
                return prefix + "/swarm.objects.SpecRevision";
            };

            return SpecRevision;
        })();

        objects.Service = (function() {

            const Service = function (properties) {
                this.vips = [];
                this.history = [];
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            Service.prototype.meta = null;
            Service.prototype.specJson = $util.newBuffer([]);
            Service.prototype.specVersion = $util.Long ? $util.Long.fromBits(0,0,true) : 0;
            Service.prototype.previousSpecJson = $util.newBuffer([]);
            Service.prototype.previousSpecVersion = $util.Long ? $util.Long.fromBits(0,0,true) : 0;
            Service.prototype.updateStatus = null;
            Service.prototype.portsJson = $util.newBuffer([]);
            Service.prototype.registryAuth = "";
            Service.prototype.previousRegistryAuth = "";
            Service.prototype.jobIteration = 0;
            Service.prototype.lastExecutionMs = 0;
            Service.prototype.vips = $util.emptyArray;
            Service.prototype.schedule = null;
            Service.prototype.rebalance = null;
            Service.prototype.history = $util.emptyArray;
            Service.prototype.specBy = "";

            Service.create = function(properties) {
                return new Service(properties);
            };

            Service.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.meta != null && $Object.hasOwnProperty.call(message, "meta"))
                    $root.swarm.objects.Meta.encode(message.meta, writer.uint32(10).fork(), _depth + 1).ldelim();
                if (message.specJson != null && $Object.hasOwnProperty.call(message, "specJson") && message.specJson.length)
                    writer.uint32(18).bytes(message.specJson);
                if (message.specVersion != null && $Object.hasOwnProperty.call(message, "specVersion") && (typeof message.specVersion === "object" ? message.specVersion.low || message.specVersion.high : message.specVersion !== 0))
                    writer.uint32(24).uint64(message.specVersion);
                if (message.previousSpecJson != null && $Object.hasOwnProperty.call(message, "previousSpecJson") && message.previousSpecJson.length)
                    writer.uint32(34).bytes(message.previousSpecJson);
                if (message.previousSpecVersion != null && $Object.hasOwnProperty.call(message, "previousSpecVersion") && (typeof message.previousSpecVersion === "object" ? message.previousSpecVersion.low || message.previousSpecVersion.high : message.previousSpecVersion !== 0))
                    writer.uint32(40).uint64(message.previousSpecVersion);
                if (message.updateStatus != null && $Object.hasOwnProperty.call(message, "updateStatus"))
                    $root.swarm.objects.UpdateStatus.encode(message.updateStatus, writer.uint32(50).fork(), _depth + 1).ldelim();
                if (message.portsJson != null && $Object.hasOwnProperty.call(message, "portsJson") && message.portsJson.length)
                    writer.uint32(58).bytes(message.portsJson);
                if (message.registryAuth != null && $Object.hasOwnProperty.call(message, "registryAuth") && message.registryAuth !== "")
                    writer.uint32(66).string(message.registryAuth);
                if (message.previousRegistryAuth != null && $Object.hasOwnProperty.call(message, "previousRegistryAuth") && message.previousRegistryAuth !== "")
                    writer.uint32(74).string(message.previousRegistryAuth);
                if (message.jobIteration != null && $Object.hasOwnProperty.call(message, "jobIteration") && message.jobIteration !== 0)
                    writer.uint32(80).uint32(message.jobIteration);
                if (message.lastExecutionMs != null && $Object.hasOwnProperty.call(message, "lastExecutionMs") && !$Object.is(message.lastExecutionMs, 0))
                    writer.uint32(89).double(message.lastExecutionMs);
                if (message.vips != null && message.vips.length)
                    for (let i = 0; i < message.vips.length; ++i)
                        $root.swarm.objects.VirtualIp.encode(message.vips[i], writer.uint32(98).fork(), _depth + 1).ldelim();
                if (message.history != null && message.history.length)
                    for (let i = 0; i < message.history.length; ++i)
                        $root.swarm.objects.SpecRevision.encode(message.history[i], writer.uint32(162).fork(), _depth + 1).ldelim();
                if (message.specBy != null && $Object.hasOwnProperty.call(message, "specBy") && message.specBy !== "")
                    writer.uint32(170).string(message.specBy);
                if (message.schedule != null && $Object.hasOwnProperty.call(message, "schedule"))
                    $root.swarm.objects.ScheduleState.encode(message.schedule, writer.uint32(242).fork(), _depth + 1).ldelim();
                if (message.rebalance != null && $Object.hasOwnProperty.call(message, "rebalance"))
                    $root.swarm.objects.RebalanceState.encode(message.rebalance, writer.uint32(250).fork(), _depth + 1).ldelim();
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            Service.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.swarm.objects.Service();
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 2)
                                break;
                            message.meta = $root.swarm.objects.Meta.decode(reader, reader.size(), $undefined, _depth + 1, message.meta);
                            continue;
                        }
                    case 2: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.bytes()).length)
                                message.specJson = value;
                            else
                                delete message.specJson;
                            continue;
                        }
                    case 3: {
                            if (wireType !== 0)
                                break;
                            if (typeof (value = reader.uint64()) === "object" ? value.low || value.high : value !== 0)
                                message.specVersion = value;
                            else
                                delete message.specVersion;
                            continue;
                        }
                    case 4: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.bytes()).length)
                                message.previousSpecJson = value;
                            else
                                delete message.previousSpecJson;
                            continue;
                        }
                    case 5: {
                            if (wireType !== 0)
                                break;
                            if (typeof (value = reader.uint64()) === "object" ? value.low || value.high : value !== 0)
                                message.previousSpecVersion = value;
                            else
                                delete message.previousSpecVersion;
                            continue;
                        }
                    case 6: {
                            if (wireType !== 2)
                                break;
                            message.updateStatus = $root.swarm.objects.UpdateStatus.decode(reader, reader.size(), $undefined, _depth + 1, message.updateStatus);
                            continue;
                        }
                    case 7: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.bytes()).length)
                                message.portsJson = value;
                            else
                                delete message.portsJson;
                            continue;
                        }
                    case 8: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.registryAuth = value;
                            else
                                delete message.registryAuth;
                            continue;
                        }
                    case 9: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.previousRegistryAuth = value;
                            else
                                delete message.previousRegistryAuth;
                            continue;
                        }
                    case 10: {
                            if (wireType !== 0)
                                break;
                            if (value = reader.uint32())
                                message.jobIteration = value;
                            else
                                delete message.jobIteration;
                            continue;
                        }
                    case 11: {
                            if (wireType !== 1)
                                break;
                            if (!$Object.is(value = reader.double(), 0))
                                message.lastExecutionMs = value;
                            else
                                delete message.lastExecutionMs;
                            continue;
                        }
                    case 12: {
                            if (wireType !== 2)
                                break;
                            if (!(message.vips && message.vips.length))
                                message.vips = [];
                            message.vips.push($root.swarm.objects.VirtualIp.decode(reader, reader.size(), $undefined, _depth + 1));
                            continue;
                        }
                    case 30: {
                            if (wireType !== 2)
                                break;
                            message.schedule = $root.swarm.objects.ScheduleState.decode(reader, reader.size(), $undefined, _depth + 1, message.schedule);
                            continue;
                        }
                    case 31: {
                            if (wireType !== 2)
                                break;
                            message.rebalance = $root.swarm.objects.RebalanceState.decode(reader, reader.size(), $undefined, _depth + 1, message.rebalance);
                            continue;
                        }
                    case 20: {
                            if (wireType !== 2)
                                break;
                            if (!(message.history && message.history.length))
                                message.history = [];
                            message.history.push($root.swarm.objects.SpecRevision.decode(reader, reader.size(), $undefined, _depth + 1));
                            continue;
                        }
                    case 21: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.specBy = value;
                            else
                                delete message.specBy;
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            Service.getTypeUrl = function(prefix) {
                if (prefix === $undefined)
                    prefix = "type.googleapis.com";
                return prefix + "/swarm.objects.Service";
            };

            return Service;
        })();

        objects.VirtualIp = (function() {

            const VirtualIp = function (properties) {
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            VirtualIp.prototype.networkId = "";
            VirtualIp.prototype.address = "";
            VirtualIp.prototype.address6 = "";

            VirtualIp.create = function(properties) {
                return new VirtualIp(properties);
            };

            VirtualIp.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.networkId != null && $Object.hasOwnProperty.call(message, "networkId") && message.networkId !== "")
                    writer.uint32(10).string(message.networkId);
                if (message.address != null && $Object.hasOwnProperty.call(message, "address") && message.address !== "")
                    writer.uint32(18).string(message.address);
                if (message.address6 != null && $Object.hasOwnProperty.call(message, "address6") && message.address6 !== "")
                    writer.uint32(26).string(message.address6);
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            VirtualIp.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.swarm.objects.VirtualIp();
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.networkId = value;
                            else
                                delete message.networkId;
                            continue;
                        }
                    case 2: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.address = value;
                            else
                                delete message.address;
                            continue;
                        }
                    case 3: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.address6 = value;
                            else
                                delete message.address6;
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            VirtualIp.getTypeUrl = function(prefix) {
                if (prefix === $undefined)
                    prefix = "type.googleapis.com";
                return prefix + "/swarm.objects.VirtualIp";
            };

            return VirtualIp;
        })();

        objects.PortStatus = (function() {

            const PortStatus = function (properties) {
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            PortStatus.prototype.protocol = "";
            PortStatus.prototype.targetPort = 0;
            PortStatus.prototype.publishedPort = 0;

            PortStatus.create = function(properties) {
                return new PortStatus(properties);
            };

            PortStatus.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.protocol != null && $Object.hasOwnProperty.call(message, "protocol") && message.protocol !== "")
                    writer.uint32(10).string(message.protocol);
                if (message.targetPort != null && $Object.hasOwnProperty.call(message, "targetPort") && message.targetPort !== 0)
                    writer.uint32(16).uint32(message.targetPort);
                if (message.publishedPort != null && $Object.hasOwnProperty.call(message, "publishedPort") && message.publishedPort !== 0)
                    writer.uint32(24).uint32(message.publishedPort);
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            PortStatus.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.swarm.objects.PortStatus();
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.protocol = value;
                            else
                                delete message.protocol;
                            continue;
                        }
                    case 2: {
                            if (wireType !== 0)
                                break;
                            if (value = reader.uint32())
                                message.targetPort = value;
                            else
                                delete message.targetPort;
                            continue;
                        }
                    case 3: {
                            if (wireType !== 0)
                                break;
                            if (value = reader.uint32())
                                message.publishedPort = value;
                            else
                                delete message.publishedPort;
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            PortStatus.getTypeUrl = function(prefix) {
                if (prefix === $undefined)
                    prefix = "type.googleapis.com";
                return prefix + "/swarm.objects.PortStatus";
            };

            return PortStatus;
        })();

        objects.Task = (function() {

            const Task = function (properties) {
                this.portStatus = [];
                this.networks = [];
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            Task.prototype.id = "";
            Task.prototype.versionIndex = $util.Long ? $util.Long.fromBits(0,0,true) : 0;
            Task.prototype.createdAtMs = 0;
            Task.prototype.updatedAtMs = 0;
            Task.prototype.serviceId = "";
            Task.prototype.serviceName = "";
            Task.prototype.slot = 0;
            Task.prototype.nodeId = "";
            Task.prototype.specJson = $util.newBuffer([]);
            Task.prototype.specRef = 0;
            Task.prototype.specVersion = $util.Long ? $util.Long.fromBits(0,0,true) : 0;
            Task.prototype.hostPortsJson = $util.newBuffer([]);
            Task.prototype.desiredState = 0;
            Task.prototype.state = 0;
            Task.prototype.statusAtMs = 0;
            Task.prototype.message = "";
            Task.prototype.err = "";
            Task.prototype.containerId = "";
            Task.prototype.pid = 0;
            Task.prototype.exitCode = 0;
            Task.prototype.portStatus = $util.emptyArray;
            Task.prototype.notBeforeMs = 0;
            Task.prototype.jobIteration = 0;
            Task.prototype.genericResourcesJson = $util.newBuffer([]);
            Task.prototype.networks = $util.emptyArray;
            Task.prototype.networkPhase = 0;

            Task.create = function(properties) {
                return new Task(properties);
            };

            Task.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.id != null && $Object.hasOwnProperty.call(message, "id") && message.id !== "")
                    writer.uint32(10).string(message.id);
                if (message.versionIndex != null && $Object.hasOwnProperty.call(message, "versionIndex") && (typeof message.versionIndex === "object" ? message.versionIndex.low || message.versionIndex.high : message.versionIndex !== 0))
                    writer.uint32(16).uint64(message.versionIndex);
                if (message.createdAtMs != null && $Object.hasOwnProperty.call(message, "createdAtMs") && !$Object.is(message.createdAtMs, 0))
                    writer.uint32(25).double(message.createdAtMs);
                if (message.updatedAtMs != null && $Object.hasOwnProperty.call(message, "updatedAtMs") && !$Object.is(message.updatedAtMs, 0))
                    writer.uint32(33).double(message.updatedAtMs);
                if (message.serviceId != null && $Object.hasOwnProperty.call(message, "serviceId") && message.serviceId !== "")
                    writer.uint32(42).string(message.serviceId);
                if (message.serviceName != null && $Object.hasOwnProperty.call(message, "serviceName") && message.serviceName !== "")
                    writer.uint32(50).string(message.serviceName);
                if (message.slot != null && $Object.hasOwnProperty.call(message, "slot") && message.slot !== 0)
                    writer.uint32(56).uint32(message.slot);
                if (message.nodeId != null && $Object.hasOwnProperty.call(message, "nodeId") && message.nodeId !== "")
                    writer.uint32(66).string(message.nodeId);
                if (message.specJson != null && $Object.hasOwnProperty.call(message, "specJson") && message.specJson.length)
                    writer.uint32(74).bytes(message.specJson);
                if (message.specRef != null && $Object.hasOwnProperty.call(message, "specRef") && message.specRef !== 0)
                    writer.uint32(80).uint32(message.specRef);
                if (message.specVersion != null && $Object.hasOwnProperty.call(message, "specVersion") && (typeof message.specVersion === "object" ? message.specVersion.low || message.specVersion.high : message.specVersion !== 0))
                    writer.uint32(88).uint64(message.specVersion);
                if (message.hostPortsJson != null && $Object.hasOwnProperty.call(message, "hostPortsJson") && message.hostPortsJson.length)
                    writer.uint32(98).bytes(message.hostPortsJson);
                if (message.desiredState != null && $Object.hasOwnProperty.call(message, "desiredState") && message.desiredState !== 0)
                    writer.uint32(104).uint32(message.desiredState);
                if (message.state != null && $Object.hasOwnProperty.call(message, "state") && message.state !== 0)
                    writer.uint32(112).uint32(message.state);
                if (message.statusAtMs != null && $Object.hasOwnProperty.call(message, "statusAtMs") && !$Object.is(message.statusAtMs, 0))
                    writer.uint32(121).double(message.statusAtMs);
                if (message.message != null && $Object.hasOwnProperty.call(message, "message") && message.message !== "")
                    writer.uint32(130).string(message.message);
                if (message.err != null && $Object.hasOwnProperty.call(message, "err") && message.err !== "")
                    writer.uint32(138).string(message.err);
                if (message.containerId != null && $Object.hasOwnProperty.call(message, "containerId") && message.containerId !== "")
                    writer.uint32(146).string(message.containerId);
                if (message.pid != null && $Object.hasOwnProperty.call(message, "pid") && message.pid !== 0)
                    writer.uint32(152).uint32(message.pid);
                if (message.exitCode != null && $Object.hasOwnProperty.call(message, "exitCode") && message.exitCode !== 0)
                    writer.uint32(160).int32(message.exitCode);
                if (message.portStatus != null && message.portStatus.length)
                    for (let i = 0; i < message.portStatus.length; ++i)
                        $root.swarm.objects.PortStatus.encode(message.portStatus[i], writer.uint32(170).fork(), _depth + 1).ldelim();
                if (message.notBeforeMs != null && $Object.hasOwnProperty.call(message, "notBeforeMs") && !$Object.is(message.notBeforeMs, 0))
                    writer.uint32(177).double(message.notBeforeMs);
                if (message.jobIteration != null && $Object.hasOwnProperty.call(message, "jobIteration") && message.jobIteration !== 0)
                    writer.uint32(184).uint32(message.jobIteration);
                if (message.networks != null && message.networks.length)
                    for (let i = 0; i < message.networks.length; ++i)
                        $root.swarm.objects.TaskNetwork.encode(message.networks[i], writer.uint32(194).fork(), _depth + 1).ldelim();
                if (message.networkPhase != null && $Object.hasOwnProperty.call(message, "networkPhase") && message.networkPhase !== 0)
                    writer.uint32(200).uint32(message.networkPhase);
                if (message.genericResourcesJson != null && $Object.hasOwnProperty.call(message, "genericResourcesJson") && message.genericResourcesJson.length)
                    writer.uint32(322).bytes(message.genericResourcesJson);
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            Task.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.swarm.objects.Task();
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.id = value;
                            else
                                delete message.id;
                            continue;
                        }
                    case 2: {
                            if (wireType !== 0)
                                break;
                            if (typeof (value = reader.uint64()) === "object" ? value.low || value.high : value !== 0)
                                message.versionIndex = value;
                            else
                                delete message.versionIndex;
                            continue;
                        }
                    case 3: {
                            if (wireType !== 1)
                                break;
                            if (!$Object.is(value = reader.double(), 0))
                                message.createdAtMs = value;
                            else
                                delete message.createdAtMs;
                            continue;
                        }
                    case 4: {
                            if (wireType !== 1)
                                break;
                            if (!$Object.is(value = reader.double(), 0))
                                message.updatedAtMs = value;
                            else
                                delete message.updatedAtMs;
                            continue;
                        }
                    case 5: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.serviceId = value;
                            else
                                delete message.serviceId;
                            continue;
                        }
                    case 6: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.serviceName = value;
                            else
                                delete message.serviceName;
                            continue;
                        }
                    case 7: {
                            if (wireType !== 0)
                                break;
                            if (value = reader.uint32())
                                message.slot = value;
                            else
                                delete message.slot;
                            continue;
                        }
                    case 8: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.nodeId = value;
                            else
                                delete message.nodeId;
                            continue;
                        }
                    case 9: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.bytes()).length)
                                message.specJson = value;
                            else
                                delete message.specJson;
                            continue;
                        }
                    case 10: {
                            if (wireType !== 0)
                                break;
                            if (value = reader.uint32())
                                message.specRef = value;
                            else
                                delete message.specRef;
                            continue;
                        }
                    case 11: {
                            if (wireType !== 0)
                                break;
                            if (typeof (value = reader.uint64()) === "object" ? value.low || value.high : value !== 0)
                                message.specVersion = value;
                            else
                                delete message.specVersion;
                            continue;
                        }
                    case 12: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.bytes()).length)
                                message.hostPortsJson = value;
                            else
                                delete message.hostPortsJson;
                            continue;
                        }
                    case 13: {
                            if (wireType !== 0)
                                break;
                            if (value = reader.uint32())
                                message.desiredState = value;
                            else
                                delete message.desiredState;
                            continue;
                        }
                    case 14: {
                            if (wireType !== 0)
                                break;
                            if (value = reader.uint32())
                                message.state = value;
                            else
                                delete message.state;
                            continue;
                        }
                    case 15: {
                            if (wireType !== 1)
                                break;
                            if (!$Object.is(value = reader.double(), 0))
                                message.statusAtMs = value;
                            else
                                delete message.statusAtMs;
                            continue;
                        }
                    case 16: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.message = value;
                            else
                                delete message.message;
                            continue;
                        }
                    case 17: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.err = value;
                            else
                                delete message.err;
                            continue;
                        }
                    case 18: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.containerId = value;
                            else
                                delete message.containerId;
                            continue;
                        }
                    case 19: {
                            if (wireType !== 0)
                                break;
                            if (value = reader.uint32())
                                message.pid = value;
                            else
                                delete message.pid;
                            continue;
                        }
                    case 20: {
                            if (wireType !== 0)
                                break;
                            if (value = reader.int32())
                                message.exitCode = value;
                            else
                                delete message.exitCode;
                            continue;
                        }
                    case 21: {
                            if (wireType !== 2)
                                break;
                            if (!(message.portStatus && message.portStatus.length))
                                message.portStatus = [];
                            message.portStatus.push($root.swarm.objects.PortStatus.decode(reader, reader.size(), $undefined, _depth + 1));
                            continue;
                        }
                    case 22: {
                            if (wireType !== 1)
                                break;
                            if (!$Object.is(value = reader.double(), 0))
                                message.notBeforeMs = value;
                            else
                                delete message.notBeforeMs;
                            continue;
                        }
                    case 23: {
                            if (wireType !== 0)
                                break;
                            if (value = reader.uint32())
                                message.jobIteration = value;
                            else
                                delete message.jobIteration;
                            continue;
                        }
                    case 40: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.bytes()).length)
                                message.genericResourcesJson = value;
                            else
                                delete message.genericResourcesJson;
                            continue;
                        }
                    case 24: {
                            if (wireType !== 2)
                                break;
                            if (!(message.networks && message.networks.length))
                                message.networks = [];
                            message.networks.push($root.swarm.objects.TaskNetwork.decode(reader, reader.size(), $undefined, _depth + 1));
                            continue;
                        }
                    case 25: {
                            if (wireType !== 0)
                                break;
                            if (value = reader.uint32())
                                message.networkPhase = value;
                            else
                                delete message.networkPhase;
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            Task.getTypeUrl = function(prefix) {
                if (prefix === $undefined)
                    prefix = "type.googleapis.com";
                return prefix + "/swarm.objects.Task";
            };

            return Task;
        })();

        objects.TaskNetwork = (function() {

            const TaskNetwork = function (properties) {
                this.aliases = [];
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            TaskNetwork.prototype.networkId = "";
            TaskNetwork.prototype.address = "";
            TaskNetwork.prototype.address6 = "";
            TaskNetwork.prototype.aliases = $util.emptyArray;

            TaskNetwork.create = function(properties) {
                return new TaskNetwork(properties);
            };

            TaskNetwork.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.networkId != null && $Object.hasOwnProperty.call(message, "networkId") && message.networkId !== "")
                    writer.uint32(10).string(message.networkId);
                if (message.address != null && $Object.hasOwnProperty.call(message, "address") && message.address !== "")
                    writer.uint32(18).string(message.address);
                if (message.address6 != null && $Object.hasOwnProperty.call(message, "address6") && message.address6 !== "")
                    writer.uint32(26).string(message.address6);
                if (message.aliases != null && message.aliases.length)
                    for (let i = 0; i < message.aliases.length; ++i)
                        writer.uint32(34).string(message.aliases[i]);
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            TaskNetwork.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.swarm.objects.TaskNetwork();
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.networkId = value;
                            else
                                delete message.networkId;
                            continue;
                        }
                    case 2: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.address = value;
                            else
                                delete message.address;
                            continue;
                        }
                    case 3: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.address6 = value;
                            else
                                delete message.address6;
                            continue;
                        }
                    case 4: {
                            if (wireType !== 2)
                                break;
                            if (!(message.aliases && message.aliases.length))
                                message.aliases = [];
                            message.aliases.push(reader.stringVerify());
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            TaskNetwork.getTypeUrl = function(prefix) {
                if (prefix === $undefined)
                    prefix = "type.googleapis.com";
                return prefix + "/swarm.objects.TaskNetwork";
            };

            return TaskNetwork;
        })();

        objects.Network = (function() {

            const Network = function (properties) {
                this.subnets = [];
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            Network.prototype.meta = null;
            Network.prototype.specJson = $util.newBuffer([]);
            Network.prototype.predefined = false;
            Network.prototype.vni = 0;
            Network.prototype.subnets = $util.emptyArray;
            Network.prototype.mtu = 0;

            Network.create = function(properties) {
                return new Network(properties);
            };

            Network.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.meta != null && $Object.hasOwnProperty.call(message, "meta"))
                    $root.swarm.objects.Meta.encode(message.meta, writer.uint32(10).fork(), _depth + 1).ldelim();
                if (message.specJson != null && $Object.hasOwnProperty.call(message, "specJson") && message.specJson.length)
                    writer.uint32(18).bytes(message.specJson);
                if (message.predefined != null && $Object.hasOwnProperty.call(message, "predefined") && message.predefined !== false)
                    writer.uint32(24).bool(message.predefined);
                if (message.vni != null && $Object.hasOwnProperty.call(message, "vni") && message.vni !== 0)
                    writer.uint32(32).uint32(message.vni);
                if (message.subnets != null && message.subnets.length)
                    for (let i = 0; i < message.subnets.length; ++i)
                        $root.swarm.objects.Subnet.encode(message.subnets[i], writer.uint32(42).fork(), _depth + 1).ldelim();
                if (message.mtu != null && $Object.hasOwnProperty.call(message, "mtu") && message.mtu !== 0)
                    writer.uint32(48).uint32(message.mtu);
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            Network.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.swarm.objects.Network();
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 2)
                                break;
                            message.meta = $root.swarm.objects.Meta.decode(reader, reader.size(), $undefined, _depth + 1, message.meta);
                            continue;
                        }
                    case 2: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.bytes()).length)
                                message.specJson = value;
                            else
                                delete message.specJson;
                            continue;
                        }
                    case 3: {
                            if (wireType !== 0)
                                break;
                            if (value = reader.bool())
                                message.predefined = value;
                            else
                                delete message.predefined;
                            continue;
                        }
                    case 4: {
                            if (wireType !== 0)
                                break;
                            if (value = reader.uint32())
                                message.vni = value;
                            else
                                delete message.vni;
                            continue;
                        }
                    case 5: {
                            if (wireType !== 2)
                                break;
                            if (!(message.subnets && message.subnets.length))
                                message.subnets = [];
                            message.subnets.push($root.swarm.objects.Subnet.decode(reader, reader.size(), $undefined, _depth + 1));
                            continue;
                        }
                    case 6: {
                            if (wireType !== 0)
                                break;
                            if (value = reader.uint32())
                                message.mtu = value;
                            else
                                delete message.mtu;
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            Network.getTypeUrl = function(prefix) {
                if (prefix === $undefined)
                    prefix = "type.googleapis.com";
                return prefix + "/swarm.objects.Network";
            };

            return Network;
        })();

        objects.Subnet = (function() {

            const Subnet = function (properties) {
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            Subnet.prototype.subnet = "";
            Subnet.prototype.gateway = "";
            Subnet.prototype.ipRange = "";

            Subnet.create = function(properties) {
                return new Subnet(properties);
            };

            Subnet.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.subnet != null && $Object.hasOwnProperty.call(message, "subnet") && message.subnet !== "")
                    writer.uint32(10).string(message.subnet);
                if (message.gateway != null && $Object.hasOwnProperty.call(message, "gateway") && message.gateway !== "")
                    writer.uint32(18).string(message.gateway);
                if (message.ipRange != null && $Object.hasOwnProperty.call(message, "ipRange") && message.ipRange !== "")
                    writer.uint32(26).string(message.ipRange);
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            Subnet.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.swarm.objects.Subnet();
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.subnet = value;
                            else
                                delete message.subnet;
                            continue;
                        }
                    case 2: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.gateway = value;
                            else
                                delete message.gateway;
                            continue;
                        }
                    case 3: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.ipRange = value;
                            else
                                delete message.ipRange;
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            Subnet.getTypeUrl = function(prefix) {
                if (prefix === $undefined)
                    prefix = "type.googleapis.com";
                return prefix + "/swarm.objects.Subnet";
            };

            return Subnet;
        })();

        objects.Secret = (function() {

            const Secret = function (properties) {
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            Secret.prototype.meta = null;
            Secret.prototype.specJson = $util.newBuffer([]);

            Secret.create = function(properties) {
                return new Secret(properties);
            };

            Secret.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.meta != null && $Object.hasOwnProperty.call(message, "meta"))
                    $root.swarm.objects.Meta.encode(message.meta, writer.uint32(10).fork(), _depth + 1).ldelim();
                if (message.specJson != null && $Object.hasOwnProperty.call(message, "specJson") && message.specJson.length)
                    writer.uint32(18).bytes(message.specJson);
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            Secret.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.swarm.objects.Secret();
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 2)
                                break;
                            message.meta = $root.swarm.objects.Meta.decode(reader, reader.size(), $undefined, _depth + 1, message.meta);
                            continue;
                        }
                    case 2: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.bytes()).length)
                                message.specJson = value;
                            else
                                delete message.specJson;
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            Secret.getTypeUrl = function(prefix) {
                if (prefix === $undefined)
                    prefix = "type.googleapis.com";
                return prefix + "/swarm.objects.Secret";
            };

            return Secret;
        })();

        objects.Config = (function() {

            const Config = function (properties) {
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            Config.prototype.meta = null;
            Config.prototype.specJson = $util.newBuffer([]);

            Config.create = function(properties) {
                return new Config(properties);
            };

            Config.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.meta != null && $Object.hasOwnProperty.call(message, "meta"))
                    $root.swarm.objects.Meta.encode(message.meta, writer.uint32(10).fork(), _depth + 1).ldelim();
                if (message.specJson != null && $Object.hasOwnProperty.call(message, "specJson") && message.specJson.length)
                    writer.uint32(18).bytes(message.specJson);
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            Config.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.swarm.objects.Config();
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 2)
                                break;
                            message.meta = $root.swarm.objects.Meta.decode(reader, reader.size(), $undefined, _depth + 1, message.meta);
                            continue;
                        }
                    case 2: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.bytes()).length)
                                message.specJson = value;
                            else
                                delete message.specJson;
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            Config.getTypeUrl = function(prefix) {
                if (prefix === $undefined)
                    prefix = "type.googleapis.com";
                return prefix + "/swarm.objects.Config";
            };

            return Config;
        })();

        objects.Precondition = (function() {

            const Precondition = function (properties) {
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            Precondition.prototype.kind = "";
            Precondition.prototype.table = "";
            Precondition.prototype.id = "";
            Precondition.prototype.index = $util.Long ? $util.Long.fromBits(0,0,true) : 0;
            Precondition.prototype.name = "";
            Precondition.prototype.exceptId = "";
            Precondition.prototype.protocol = "";
            Precondition.prototype.publishedPort = 0;
            Precondition.prototype.publishMode = "";
            Precondition.prototype.networkId = "";
            Precondition.prototype.address = "";
            Precondition.prototype.vni = 0;
            Precondition.prototype.subnet = "";

            Precondition.create = function(properties) {
                return new Precondition(properties);
            };

            Precondition.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.kind != null && $Object.hasOwnProperty.call(message, "kind") && message.kind !== "")
                    writer.uint32(10).string(message.kind);
                if (message.table != null && $Object.hasOwnProperty.call(message, "table") && message.table !== "")
                    writer.uint32(18).string(message.table);
                if (message.id != null && $Object.hasOwnProperty.call(message, "id") && message.id !== "")
                    writer.uint32(26).string(message.id);
                if (message.index != null && $Object.hasOwnProperty.call(message, "index") && (typeof message.index === "object" ? message.index.low || message.index.high : message.index !== 0))
                    writer.uint32(32).uint64(message.index);
                if (message.name != null && $Object.hasOwnProperty.call(message, "name") && message.name !== "")
                    writer.uint32(42).string(message.name);
                if (message.exceptId != null && $Object.hasOwnProperty.call(message, "exceptId") && message.exceptId !== "")
                    writer.uint32(50).string(message.exceptId);
                if (message.protocol != null && $Object.hasOwnProperty.call(message, "protocol") && message.protocol !== "")
                    writer.uint32(58).string(message.protocol);
                if (message.publishedPort != null && $Object.hasOwnProperty.call(message, "publishedPort") && message.publishedPort !== 0)
                    writer.uint32(64).uint32(message.publishedPort);
                if (message.publishMode != null && $Object.hasOwnProperty.call(message, "publishMode") && message.publishMode !== "")
                    writer.uint32(74).string(message.publishMode);
                if (message.networkId != null && $Object.hasOwnProperty.call(message, "networkId") && message.networkId !== "")
                    writer.uint32(82).string(message.networkId);
                if (message.address != null && $Object.hasOwnProperty.call(message, "address") && message.address !== "")
                    writer.uint32(90).string(message.address);
                if (message.vni != null && $Object.hasOwnProperty.call(message, "vni") && message.vni !== 0)
                    writer.uint32(96).uint32(message.vni);
                if (message.subnet != null && $Object.hasOwnProperty.call(message, "subnet") && message.subnet !== "")
                    writer.uint32(106).string(message.subnet);
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            Precondition.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.swarm.objects.Precondition();
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.kind = value;
                            else
                                delete message.kind;
                            continue;
                        }
                    case 2: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.table = value;
                            else
                                delete message.table;
                            continue;
                        }
                    case 3: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.id = value;
                            else
                                delete message.id;
                            continue;
                        }
                    case 4: {
                            if (wireType !== 0)
                                break;
                            if (typeof (value = reader.uint64()) === "object" ? value.low || value.high : value !== 0)
                                message.index = value;
                            else
                                delete message.index;
                            continue;
                        }
                    case 5: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.name = value;
                            else
                                delete message.name;
                            continue;
                        }
                    case 6: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.exceptId = value;
                            else
                                delete message.exceptId;
                            continue;
                        }
                    case 7: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.protocol = value;
                            else
                                delete message.protocol;
                            continue;
                        }
                    case 8: {
                            if (wireType !== 0)
                                break;
                            if (value = reader.uint32())
                                message.publishedPort = value;
                            else
                                delete message.publishedPort;
                            continue;
                        }
                    case 9: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.publishMode = value;
                            else
                                delete message.publishMode;
                            continue;
                        }
                    case 10: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.networkId = value;
                            else
                                delete message.networkId;
                            continue;
                        }
                    case 11: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.address = value;
                            else
                                delete message.address;
                            continue;
                        }
                    case 12: {
                            if (wireType !== 0)
                                break;
                            if (value = reader.uint32())
                                message.vni = value;
                            else
                                delete message.vni;
                            continue;
                        }
                    case 13: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.subnet = value;
                            else
                                delete message.subnet;
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            Precondition.getTypeUrl = function(prefix) {
                if (prefix === $undefined)
                    prefix = "type.googleapis.com";
                return prefix + "/swarm.objects.Precondition";
            };

            return Precondition;
        })();

        objects.Delete = (function() {

            const Delete = function (properties) {
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            Delete.prototype.table = "";
            Delete.prototype.id = "";

            Delete.create = function(properties) {
                return new Delete(properties);
            };

            Delete.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.table != null && $Object.hasOwnProperty.call(message, "table") && message.table !== "")
                    writer.uint32(10).string(message.table);
                if (message.id != null && $Object.hasOwnProperty.call(message, "id") && message.id !== "")
                    writer.uint32(18).string(message.id);
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            Delete.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.swarm.objects.Delete();
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.table = value;
                            else
                                delete message.table;
                            continue;
                        }
                    case 2: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.id = value;
                            else
                                delete message.id;
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            Delete.getTypeUrl = function(prefix) {
                if (prefix === $undefined)
                    prefix = "type.googleapis.com";
                return prefix + "/swarm.objects.Delete";
            };

            return Delete;
        })();

        objects.TaskDesired = (function() {

            const TaskDesired = function (properties) {
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            TaskDesired.prototype.taskId = "";
            TaskDesired.prototype.desiredState = 0;
            TaskDesired.prototype.notBeforeMs = null;

            let $oneOfFields;

            // Virtual OneOf for proto3 optional field
            $Object.defineProperty(TaskDesired.prototype, "_notBeforeMs", {
                get: $util.oneOfGetter($oneOfFields = ["notBeforeMs"]),
                set: $util.oneOfSetter($oneOfFields)
            });

            TaskDesired.create = function(properties) {
                return new TaskDesired(properties);
            };

            TaskDesired.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.taskId != null && $Object.hasOwnProperty.call(message, "taskId") && message.taskId !== "")
                    writer.uint32(10).string(message.taskId);
                if (message.desiredState != null && $Object.hasOwnProperty.call(message, "desiredState") && message.desiredState !== 0)
                    writer.uint32(16).uint32(message.desiredState);
                if (message.notBeforeMs != null && $Object.hasOwnProperty.call(message, "notBeforeMs"))
                    writer.uint32(25).double(message.notBeforeMs);
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            TaskDesired.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.swarm.objects.TaskDesired();
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.taskId = value;
                            else
                                delete message.taskId;
                            continue;
                        }
                    case 2: {
                            if (wireType !== 0)
                                break;
                            if (value = reader.uint32())
                                message.desiredState = value;
                            else
                                delete message.desiredState;
                            continue;
                        }
                    case 3: {
                            if (wireType !== 1)
                                break;
                            message.notBeforeMs = reader.double();
                            message._notBeforeMs = "notBeforeMs";
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            TaskDesired.getTypeUrl = function(prefix) {
                if (prefix === $undefined)
                    prefix = "type.googleapis.com";
                return prefix + "/swarm.objects.TaskDesired";
            };

            return TaskDesired;
        })();

        objects.TaskAssign = (function() {

            const TaskAssign = function (properties) {
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            TaskAssign.prototype.taskId = "";
            TaskAssign.prototype.nodeId = "";
            TaskAssign.prototype.message = "";
            TaskAssign.prototype.genericResourcesJson = $util.newBuffer([]);

            TaskAssign.create = function(properties) {
                return new TaskAssign(properties);
            };

            TaskAssign.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.taskId != null && $Object.hasOwnProperty.call(message, "taskId") && message.taskId !== "")
                    writer.uint32(10).string(message.taskId);
                if (message.nodeId != null && $Object.hasOwnProperty.call(message, "nodeId") && message.nodeId !== "")
                    writer.uint32(18).string(message.nodeId);
                if (message.message != null && $Object.hasOwnProperty.call(message, "message") && message.message !== "")
                    writer.uint32(26).string(message.message);
                if (message.genericResourcesJson != null && $Object.hasOwnProperty.call(message, "genericResourcesJson") && message.genericResourcesJson.length)
                    writer.uint32(82).bytes(message.genericResourcesJson);
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            TaskAssign.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.swarm.objects.TaskAssign();
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.taskId = value;
                            else
                                delete message.taskId;
                            continue;
                        }
                    case 2: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.nodeId = value;
                            else
                                delete message.nodeId;
                            continue;
                        }
                    case 3: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.message = value;
                            else
                                delete message.message;
                            continue;
                        }
                    case 10: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.bytes()).length)
                                message.genericResourcesJson = value;
                            else
                                delete message.genericResourcesJson;
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            TaskAssign.getTypeUrl = function(prefix) {
                if (prefix === $undefined)
                    prefix = "type.googleapis.com";
                return prefix + "/swarm.objects.TaskAssign";
            };

            return TaskAssign;
        })();

        objects.TaskStatus = (function() {

            const TaskStatus = function (properties) {
                this.portStatus = [];
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            TaskStatus.prototype.taskId = "";
            TaskStatus.prototype.state = 0;
            TaskStatus.prototype.atMs = 0;
            TaskStatus.prototype.message = "";
            TaskStatus.prototype.err = "";
            TaskStatus.prototype.containerId = "";
            TaskStatus.prototype.pid = 0;
            TaskStatus.prototype.exitCode = 0;
            TaskStatus.prototype.portStatus = $util.emptyArray;

            TaskStatus.create = function(properties) {
                return new TaskStatus(properties);
            };

            TaskStatus.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.taskId != null && $Object.hasOwnProperty.call(message, "taskId") && message.taskId !== "")
                    writer.uint32(10).string(message.taskId);
                if (message.state != null && $Object.hasOwnProperty.call(message, "state") && message.state !== 0)
                    writer.uint32(16).uint32(message.state);
                if (message.atMs != null && $Object.hasOwnProperty.call(message, "atMs") && !$Object.is(message.atMs, 0))
                    writer.uint32(25).double(message.atMs);
                if (message.message != null && $Object.hasOwnProperty.call(message, "message") && message.message !== "")
                    writer.uint32(34).string(message.message);
                if (message.err != null && $Object.hasOwnProperty.call(message, "err") && message.err !== "")
                    writer.uint32(42).string(message.err);
                if (message.containerId != null && $Object.hasOwnProperty.call(message, "containerId") && message.containerId !== "")
                    writer.uint32(50).string(message.containerId);
                if (message.pid != null && $Object.hasOwnProperty.call(message, "pid") && message.pid !== 0)
                    writer.uint32(56).uint32(message.pid);
                if (message.exitCode != null && $Object.hasOwnProperty.call(message, "exitCode") && message.exitCode !== 0)
                    writer.uint32(64).int32(message.exitCode);
                if (message.portStatus != null && message.portStatus.length)
                    for (let i = 0; i < message.portStatus.length; ++i)
                        $root.swarm.objects.PortStatus.encode(message.portStatus[i], writer.uint32(74).fork(), _depth + 1).ldelim();
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            TaskStatus.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.swarm.objects.TaskStatus();
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.taskId = value;
                            else
                                delete message.taskId;
                            continue;
                        }
                    case 2: {
                            if (wireType !== 0)
                                break;
                            if (value = reader.uint32())
                                message.state = value;
                            else
                                delete message.state;
                            continue;
                        }
                    case 3: {
                            if (wireType !== 1)
                                break;
                            if (!$Object.is(value = reader.double(), 0))
                                message.atMs = value;
                            else
                                delete message.atMs;
                            continue;
                        }
                    case 4: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.message = value;
                            else
                                delete message.message;
                            continue;
                        }
                    case 5: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.err = value;
                            else
                                delete message.err;
                            continue;
                        }
                    case 6: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.containerId = value;
                            else
                                delete message.containerId;
                            continue;
                        }
                    case 7: {
                            if (wireType !== 0)
                                break;
                            if (value = reader.uint32())
                                message.pid = value;
                            else
                                delete message.pid;
                            continue;
                        }
                    case 8: {
                            if (wireType !== 0)
                                break;
                            if (value = reader.int32())
                                message.exitCode = value;
                            else
                                delete message.exitCode;
                            continue;
                        }
                    case 9: {
                            if (wireType !== 2)
                                break;
                            if (!(message.portStatus && message.portStatus.length))
                                message.portStatus = [];
                            message.portStatus.push($root.swarm.objects.PortStatus.decode(reader, reader.size(), $undefined, _depth + 1));
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            TaskStatus.getTypeUrl = function(prefix) {
                if (prefix === $undefined)
                    prefix = "type.googleapis.com";
                return prefix + "/swarm.objects.TaskStatus";
            };

            return TaskStatus;
        })();

        objects.ServiceUpdateStatus = (function() {

            const ServiceUpdateStatus = function (properties) {
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            ServiceUpdateStatus.prototype.serviceId = "";
            ServiceUpdateStatus.prototype.specVersion = $util.Long ? $util.Long.fromBits(0,0,true) : 0;
            ServiceUpdateStatus.prototype.updateStatus = null;

            ServiceUpdateStatus.create = function(properties) {
                return new ServiceUpdateStatus(properties);
            };

            ServiceUpdateStatus.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.serviceId != null && $Object.hasOwnProperty.call(message, "serviceId") && message.serviceId !== "")
                    writer.uint32(10).string(message.serviceId);
                if (message.specVersion != null && $Object.hasOwnProperty.call(message, "specVersion") && (typeof message.specVersion === "object" ? message.specVersion.low || message.specVersion.high : message.specVersion !== 0))
                    writer.uint32(16).uint64(message.specVersion);
                if (message.updateStatus != null && $Object.hasOwnProperty.call(message, "updateStatus"))
                    $root.swarm.objects.UpdateStatus.encode(message.updateStatus, writer.uint32(26).fork(), _depth + 1).ldelim();
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            ServiceUpdateStatus.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.swarm.objects.ServiceUpdateStatus();
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.serviceId = value;
                            else
                                delete message.serviceId;
                            continue;
                        }
                    case 2: {
                            if (wireType !== 0)
                                break;
                            if (typeof (value = reader.uint64()) === "object" ? value.low || value.high : value !== 0)
                                message.specVersion = value;
                            else
                                delete message.specVersion;
                            continue;
                        }
                    case 3: {
                            if (wireType !== 2)
                                break;
                            message.updateStatus = $root.swarm.objects.UpdateStatus.decode(reader, reader.size(), $undefined, _depth + 1, message.updateStatus);
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            ServiceUpdateStatus.getTypeUrl = function(prefix) {
                if (prefix === $undefined)
                    prefix = "type.googleapis.com";
                return prefix + "/swarm.objects.ServiceUpdateStatus";
            };

            return ServiceUpdateStatus;
        })();

        objects.ServiceRebalance = (function() {

            const ServiceRebalance = function (properties) {
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            ServiceRebalance.prototype.serviceId = "";
            ServiceRebalance.prototype.specVersion = $util.Long ? $util.Long.fromBits(0,0,true) : 0;
            ServiceRebalance.prototype.rebalance = null;

            ServiceRebalance.create = function(properties) {
                return new ServiceRebalance(properties);
            };

            ServiceRebalance.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.serviceId != null && $Object.hasOwnProperty.call(message, "serviceId") && message.serviceId !== "")
                    writer.uint32(10).string(message.serviceId);
                if (message.specVersion != null && $Object.hasOwnProperty.call(message, "specVersion") && (typeof message.specVersion === "object" ? message.specVersion.low || message.specVersion.high : message.specVersion !== 0))
                    writer.uint32(16).uint64(message.specVersion);
                if (message.rebalance != null && $Object.hasOwnProperty.call(message, "rebalance"))
                    $root.swarm.objects.RebalanceState.encode(message.rebalance, writer.uint32(26).fork(), _depth + 1).ldelim();
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            ServiceRebalance.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.swarm.objects.ServiceRebalance();
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.serviceId = value;
                            else
                                delete message.serviceId;
                            continue;
                        }
                    case 2: {
                            if (wireType !== 0)
                                break;
                            if (typeof (value = reader.uint64()) === "object" ? value.low || value.high : value !== 0)
                                message.specVersion = value;
                            else
                                delete message.specVersion;
                            continue;
                        }
                    case 3: {
                            if (wireType !== 2)
                                break;
                            message.rebalance = $root.swarm.objects.RebalanceState.decode(reader, reader.size(), $undefined, _depth + 1, message.rebalance);
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            ServiceRebalance.getTypeUrl = function(prefix) {
                if (prefix === $undefined)
                    prefix = "type.googleapis.com";
                return prefix + "/swarm.objects.ServiceRebalance";
            };

            return ServiceRebalance;
        })();

        objects.ServiceRollBack = (function() {

            const ServiceRollBack = function (properties) {
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            ServiceRollBack.prototype.serviceId = "";
            ServiceRollBack.prototype.specVersion = $util.Long ? $util.Long.fromBits(0,0,true) : 0;
            ServiceRollBack.prototype.message = "";

            ServiceRollBack.create = function(properties) {
                return new ServiceRollBack(properties);
            };

            ServiceRollBack.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.serviceId != null && $Object.hasOwnProperty.call(message, "serviceId") && message.serviceId !== "")
                    writer.uint32(10).string(message.serviceId);
                if (message.specVersion != null && $Object.hasOwnProperty.call(message, "specVersion") && (typeof message.specVersion === "object" ? message.specVersion.low || message.specVersion.high : message.specVersion !== 0))
                    writer.uint32(16).uint64(message.specVersion);
                if (message.message != null && $Object.hasOwnProperty.call(message, "message") && message.message !== "")
                    writer.uint32(26).string(message.message);
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            ServiceRollBack.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.swarm.objects.ServiceRollBack();
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.serviceId = value;
                            else
                                delete message.serviceId;
                            continue;
                        }
                    case 2: {
                            if (wireType !== 0)
                                break;
                            if (typeof (value = reader.uint64()) === "object" ? value.low || value.high : value !== 0)
                                message.specVersion = value;
                            else
                                delete message.specVersion;
                            continue;
                        }
                    case 3: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.message = value;
                            else
                                delete message.message;
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            ServiceRollBack.getTypeUrl = function(prefix) {
                if (prefix === $undefined)
                    prefix = "type.googleapis.com";
                return prefix + "/swarm.objects.ServiceRollBack";
            };

            return ServiceRollBack;
        })();

        objects.NodeStatus = (function() {

            const NodeStatus = function (properties) {
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            NodeStatus.prototype.nodeId = "";
            NodeStatus.prototype.state = null;
            NodeStatus.prototype.stateMessage = null;
            NodeStatus.prototype.addr = null;
            NodeStatus.prototype.descriptionJson = null;
            NodeStatus.prototype.bootId = null;

            let $oneOfFields;

            // Virtual OneOf for proto3 optional field
            $Object.defineProperty(NodeStatus.prototype, "_state", {
                get: $util.oneOfGetter($oneOfFields = ["state"]),
                set: $util.oneOfSetter($oneOfFields)
            });

            // Virtual OneOf for proto3 optional field
            $Object.defineProperty(NodeStatus.prototype, "_stateMessage", {
                get: $util.oneOfGetter($oneOfFields = ["stateMessage"]),
                set: $util.oneOfSetter($oneOfFields)
            });

            // Virtual OneOf for proto3 optional field
            $Object.defineProperty(NodeStatus.prototype, "_addr", {
                get: $util.oneOfGetter($oneOfFields = ["addr"]),
                set: $util.oneOfSetter($oneOfFields)
            });

            // Virtual OneOf for proto3 optional field
            $Object.defineProperty(NodeStatus.prototype, "_descriptionJson", {
                get: $util.oneOfGetter($oneOfFields = ["descriptionJson"]),
                set: $util.oneOfSetter($oneOfFields)
            });

            // Virtual OneOf for proto3 optional field
            $Object.defineProperty(NodeStatus.prototype, "_bootId", {
                get: $util.oneOfGetter($oneOfFields = ["bootId"]),
                set: $util.oneOfSetter($oneOfFields)
            });

            NodeStatus.create = function(properties) {
                return new NodeStatus(properties);
            };

            NodeStatus.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.nodeId != null && $Object.hasOwnProperty.call(message, "nodeId") && message.nodeId !== "")
                    writer.uint32(10).string(message.nodeId);
                if (message.state != null && $Object.hasOwnProperty.call(message, "state"))
                    writer.uint32(18).string(message.state);
                if (message.stateMessage != null && $Object.hasOwnProperty.call(message, "stateMessage"))
                    writer.uint32(26).string(message.stateMessage);
                if (message.addr != null && $Object.hasOwnProperty.call(message, "addr"))
                    writer.uint32(34).string(message.addr);
                if (message.descriptionJson != null && $Object.hasOwnProperty.call(message, "descriptionJson"))
                    writer.uint32(42).bytes(message.descriptionJson);
                if (message.bootId != null && $Object.hasOwnProperty.call(message, "bootId"))
                    writer.uint32(50).string(message.bootId);
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            NodeStatus.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.swarm.objects.NodeStatus();
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.nodeId = value;
                            else
                                delete message.nodeId;
                            continue;
                        }
                    case 2: {
                            if (wireType !== 2)
                                break;
                            message.state = reader.stringVerify();
                            message._state = "state";
                            continue;
                        }
                    case 3: {
                            if (wireType !== 2)
                                break;
                            message.stateMessage = reader.stringVerify();
                            message._stateMessage = "stateMessage";
                            continue;
                        }
                    case 4: {
                            if (wireType !== 2)
                                break;
                            message.addr = reader.stringVerify();
                            message._addr = "addr";
                            continue;
                        }
                    case 5: {
                            if (wireType !== 2)
                                break;
                            message.descriptionJson = reader.bytes();
                            message._descriptionJson = "descriptionJson";
                            continue;
                        }
                    case 6: {
                            if (wireType !== 2)
                                break;
                            message.bootId = reader.stringVerify();
                            message._bootId = "bootId";
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            NodeStatus.getTypeUrl = function(prefix) {
                if (prefix === $undefined)
                    prefix = "type.googleapis.com";
                return prefix + "/swarm.objects.NodeStatus";
            };

            return NodeStatus;
        })();

        objects.NodeRole = (function() {

            const NodeRole = function (properties) {
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            NodeRole.prototype.nodeId = "";
            NodeRole.prototype.role = null;
            NodeRole.prototype.manager = null;
            NodeRole.prototype.clearManager = false;

            let $oneOfFields;

            // Virtual OneOf for proto3 optional field
            $Object.defineProperty(NodeRole.prototype, "_role", {
                get: $util.oneOfGetter($oneOfFields = ["role"]),
                set: $util.oneOfSetter($oneOfFields)
            });

            NodeRole.create = function(properties) {
                return new NodeRole(properties);
            };

            NodeRole.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.nodeId != null && $Object.hasOwnProperty.call(message, "nodeId") && message.nodeId !== "")
                    writer.uint32(10).string(message.nodeId);
                if (message.role != null && $Object.hasOwnProperty.call(message, "role"))
                    writer.uint32(18).string(message.role);
                if (message.manager != null && $Object.hasOwnProperty.call(message, "manager"))
                    $root.swarm.objects.RaftMember.encode(message.manager, writer.uint32(26).fork(), _depth + 1).ldelim();
                if (message.clearManager != null && $Object.hasOwnProperty.call(message, "clearManager") && message.clearManager !== false)
                    writer.uint32(32).bool(message.clearManager);
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            NodeRole.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.swarm.objects.NodeRole();
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.nodeId = value;
                            else
                                delete message.nodeId;
                            continue;
                        }
                    case 2: {
                            if (wireType !== 2)
                                break;
                            message.role = reader.stringVerify();
                            message._role = "role";
                            continue;
                        }
                    case 3: {
                            if (wireType !== 2)
                                break;
                            message.manager = $root.swarm.objects.RaftMember.decode(reader, reader.size(), $undefined, _depth + 1, message.manager);
                            continue;
                        }
                    case 4: {
                            if (wireType !== 0)
                                break;
                            if (value = reader.bool())
                                message.clearManager = value;
                            else
                                delete message.clearManager;
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            NodeRole.getTypeUrl = function(prefix) {
                if (prefix === $undefined)
                    prefix = "type.googleapis.com";
                return prefix + "/swarm.objects.NodeRole";
            };

            return NodeRole;
        })();

        objects.NetworkAllocated = (function() {

            const NetworkAllocated = function (properties) {
                this.subnets = [];
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            NetworkAllocated.prototype.networkId = "";
            NetworkAllocated.prototype.vni = 0;
            NetworkAllocated.prototype.subnets = $util.emptyArray;
            NetworkAllocated.prototype.mtu = 0;

            NetworkAllocated.create = function(properties) {
                return new NetworkAllocated(properties);
            };

            NetworkAllocated.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.networkId != null && $Object.hasOwnProperty.call(message, "networkId") && message.networkId !== "")
                    writer.uint32(10).string(message.networkId);
                if (message.vni != null && $Object.hasOwnProperty.call(message, "vni") && message.vni !== 0)
                    writer.uint32(16).uint32(message.vni);
                if (message.subnets != null && message.subnets.length)
                    for (let i = 0; i < message.subnets.length; ++i)
                        $root.swarm.objects.Subnet.encode(message.subnets[i], writer.uint32(26).fork(), _depth + 1).ldelim();
                if (message.mtu != null && $Object.hasOwnProperty.call(message, "mtu") && message.mtu !== 0)
                    writer.uint32(32).uint32(message.mtu);
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            NetworkAllocated.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.swarm.objects.NetworkAllocated();
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.networkId = value;
                            else
                                delete message.networkId;
                            continue;
                        }
                    case 2: {
                            if (wireType !== 0)
                                break;
                            if (value = reader.uint32())
                                message.vni = value;
                            else
                                delete message.vni;
                            continue;
                        }
                    case 3: {
                            if (wireType !== 2)
                                break;
                            if (!(message.subnets && message.subnets.length))
                                message.subnets = [];
                            message.subnets.push($root.swarm.objects.Subnet.decode(reader, reader.size(), $undefined, _depth + 1));
                            continue;
                        }
                    case 4: {
                            if (wireType !== 0)
                                break;
                            if (value = reader.uint32())
                                message.mtu = value;
                            else
                                delete message.mtu;
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            NetworkAllocated.getTypeUrl = function(prefix) {
                if (prefix === $undefined)
                    prefix = "type.googleapis.com";
                return prefix + "/swarm.objects.NetworkAllocated";
            };

            return NetworkAllocated;
        })();

        objects.ServiceEndpoint = (function() {

            const ServiceEndpoint = function (properties) {
                this.vips = [];
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            ServiceEndpoint.prototype.serviceId = "";
            ServiceEndpoint.prototype.specVersion = $util.Long ? $util.Long.fromBits(0,0,true) : 0;
            ServiceEndpoint.prototype.vips = $util.emptyArray;
            ServiceEndpoint.prototype.portsJson = $util.newBuffer([]);

            ServiceEndpoint.create = function(properties) {
                return new ServiceEndpoint(properties);
            };

            ServiceEndpoint.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.serviceId != null && $Object.hasOwnProperty.call(message, "serviceId") && message.serviceId !== "")
                    writer.uint32(10).string(message.serviceId);
                if (message.specVersion != null && $Object.hasOwnProperty.call(message, "specVersion") && (typeof message.specVersion === "object" ? message.specVersion.low || message.specVersion.high : message.specVersion !== 0))
                    writer.uint32(16).uint64(message.specVersion);
                if (message.vips != null && message.vips.length)
                    for (let i = 0; i < message.vips.length; ++i)
                        $root.swarm.objects.VirtualIp.encode(message.vips[i], writer.uint32(26).fork(), _depth + 1).ldelim();
                if (message.portsJson != null && $Object.hasOwnProperty.call(message, "portsJson") && message.portsJson.length)
                    writer.uint32(34).bytes(message.portsJson);
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            ServiceEndpoint.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.swarm.objects.ServiceEndpoint();
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.serviceId = value;
                            else
                                delete message.serviceId;
                            continue;
                        }
                    case 2: {
                            if (wireType !== 0)
                                break;
                            if (typeof (value = reader.uint64()) === "object" ? value.low || value.high : value !== 0)
                                message.specVersion = value;
                            else
                                delete message.specVersion;
                            continue;
                        }
                    case 3: {
                            if (wireType !== 2)
                                break;
                            if (!(message.vips && message.vips.length))
                                message.vips = [];
                            message.vips.push($root.swarm.objects.VirtualIp.decode(reader, reader.size(), $undefined, _depth + 1));
                            continue;
                        }
                    case 4: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.bytes()).length)
                                message.portsJson = value;
                            else
                                delete message.portsJson;
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            ServiceEndpoint.getTypeUrl = function(prefix) {
                if (prefix === $undefined)
                    prefix = "type.googleapis.com";
                return prefix + "/swarm.objects.ServiceEndpoint";
            };

            return ServiceEndpoint;
        })();

        objects.TaskNetworks = (function() {

            const TaskNetworks = function (properties) {
                this.networks = [];
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            TaskNetworks.prototype.taskId = "";
            TaskNetworks.prototype.networks = $util.emptyArray;
            TaskNetworks.prototype.message = "";

            TaskNetworks.create = function(properties) {
                return new TaskNetworks(properties);
            };

            TaskNetworks.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.taskId != null && $Object.hasOwnProperty.call(message, "taskId") && message.taskId !== "")
                    writer.uint32(10).string(message.taskId);
                if (message.networks != null && message.networks.length)
                    for (let i = 0; i < message.networks.length; ++i)
                        $root.swarm.objects.TaskNetwork.encode(message.networks[i], writer.uint32(18).fork(), _depth + 1).ldelim();
                if (message.message != null && $Object.hasOwnProperty.call(message, "message") && message.message !== "")
                    writer.uint32(26).string(message.message);
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            TaskNetworks.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.swarm.objects.TaskNetworks();
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.taskId = value;
                            else
                                delete message.taskId;
                            continue;
                        }
                    case 2: {
                            if (wireType !== 2)
                                break;
                            if (!(message.networks && message.networks.length))
                                message.networks = [];
                            message.networks.push($root.swarm.objects.TaskNetwork.decode(reader, reader.size(), $undefined, _depth + 1));
                            continue;
                        }
                    case 3: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.message = value;
                            else
                                delete message.message;
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            TaskNetworks.getTypeUrl = function(prefix) {
                if (prefix === $undefined)
                    prefix = "type.googleapis.com";
                return prefix + "/swarm.objects.TaskNetworks";
            };

            return TaskNetworks;
        })();

        objects.TaskNetworkPhase = (function() {

            const TaskNetworkPhase = function (properties) {
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            TaskNetworkPhase.prototype.taskId = "";
            TaskNetworkPhase.prototype.phase = 0;

            TaskNetworkPhase.create = function(properties) {
                return new TaskNetworkPhase(properties);
            };

            TaskNetworkPhase.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.taskId != null && $Object.hasOwnProperty.call(message, "taskId") && message.taskId !== "")
                    writer.uint32(10).string(message.taskId);
                if (message.phase != null && $Object.hasOwnProperty.call(message, "phase") && message.phase !== 0)
                    writer.uint32(16).uint32(message.phase);
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            TaskNetworkPhase.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.swarm.objects.TaskNetworkPhase();
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.taskId = value;
                            else
                                delete message.taskId;
                            continue;
                        }
                    case 2: {
                            if (wireType !== 0)
                                break;
                            if (value = reader.uint32())
                                message.phase = value;
                            else
                                delete message.phase;
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            TaskNetworkPhase.getTypeUrl = function(prefix) {
                if (prefix === $undefined)
                    prefix = "type.googleapis.com";
                return prefix + "/swarm.objects.TaskNetworkPhase";
            };

            return TaskNetworkPhase;
        })();

        objects.Change = (function() {

            const Change = function (properties) {
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            Change.prototype.putCluster = null;
            Change.prototype.putNode = null;
            Change.prototype.putService = null;
            Change.prototype.putTask = null;
            Change.prototype.putNetwork = null;
            Change.prototype.putSecret = null;
            Change.prototype.putConfig = null;
            Change.prototype["delete"] = null;
            Change.prototype.taskDesired = null;
            Change.prototype.taskAssign = null;
            Change.prototype.taskStatus = null;
            Change.prototype.serviceUpdateStatus = null;
            Change.prototype.nodeStatus = null;
            Change.prototype.nodeRole = null;
            Change.prototype.networkAllocated = null;
            Change.prototype.serviceEndpoint = null;
            Change.prototype.taskNetworks = null;
            Change.prototype.taskNetworkPhase = null;
            Change.prototype.serviceRollBack = null;
            Change.prototype.serviceRebalance = null;

            let $oneOfFields;

            $Object.defineProperty(Change.prototype, "change", {
                get: $util.oneOfGetter($oneOfFields = ["putCluster", "putNode", "putService", "putTask", "putNetwork", "putSecret", "putConfig", "delete", "taskDesired", "taskAssign", "taskStatus", "serviceUpdateStatus", "nodeStatus", "nodeRole", "networkAllocated", "serviceEndpoint", "taskNetworks", "taskNetworkPhase", "serviceRollBack", "serviceRebalance"]),
                set: $util.oneOfSetter($oneOfFields)
            });

            Change.create = function(properties) {
                return new Change(properties);
            };

            Change.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.putCluster != null && $Object.hasOwnProperty.call(message, "putCluster"))
                    $root.swarm.objects.Cluster.encode(message.putCluster, writer.uint32(10).fork(), _depth + 1).ldelim();
                if (message.putNode != null && $Object.hasOwnProperty.call(message, "putNode"))
                    $root.swarm.objects.Node.encode(message.putNode, writer.uint32(18).fork(), _depth + 1).ldelim();
                if (message.putService != null && $Object.hasOwnProperty.call(message, "putService"))
                    $root.swarm.objects.Service.encode(message.putService, writer.uint32(26).fork(), _depth + 1).ldelim();
                if (message.putTask != null && $Object.hasOwnProperty.call(message, "putTask"))
                    $root.swarm.objects.Task.encode(message.putTask, writer.uint32(34).fork(), _depth + 1).ldelim();
                if (message.putNetwork != null && $Object.hasOwnProperty.call(message, "putNetwork"))
                    $root.swarm.objects.Network.encode(message.putNetwork, writer.uint32(42).fork(), _depth + 1).ldelim();
                if (message.putSecret != null && $Object.hasOwnProperty.call(message, "putSecret"))
                    $root.swarm.objects.Secret.encode(message.putSecret, writer.uint32(50).fork(), _depth + 1).ldelim();
                if (message.putConfig != null && $Object.hasOwnProperty.call(message, "putConfig"))
                    $root.swarm.objects.Config.encode(message.putConfig, writer.uint32(58).fork(), _depth + 1).ldelim();
                if (message["delete"] != null && $Object.hasOwnProperty.call(message, "delete"))
                    $root.swarm.objects.Delete.encode(message["delete"], writer.uint32(66).fork(), _depth + 1).ldelim();
                if (message.taskDesired != null && $Object.hasOwnProperty.call(message, "taskDesired"))
                    $root.swarm.objects.TaskDesired.encode(message.taskDesired, writer.uint32(74).fork(), _depth + 1).ldelim();
                if (message.taskAssign != null && $Object.hasOwnProperty.call(message, "taskAssign"))
                    $root.swarm.objects.TaskAssign.encode(message.taskAssign, writer.uint32(82).fork(), _depth + 1).ldelim();
                if (message.taskStatus != null && $Object.hasOwnProperty.call(message, "taskStatus"))
                    $root.swarm.objects.TaskStatus.encode(message.taskStatus, writer.uint32(90).fork(), _depth + 1).ldelim();
                if (message.serviceUpdateStatus != null && $Object.hasOwnProperty.call(message, "serviceUpdateStatus"))
                    $root.swarm.objects.ServiceUpdateStatus.encode(message.serviceUpdateStatus, writer.uint32(98).fork(), _depth + 1).ldelim();
                if (message.nodeStatus != null && $Object.hasOwnProperty.call(message, "nodeStatus"))
                    $root.swarm.objects.NodeStatus.encode(message.nodeStatus, writer.uint32(106).fork(), _depth + 1).ldelim();
                if (message.nodeRole != null && $Object.hasOwnProperty.call(message, "nodeRole"))
                    $root.swarm.objects.NodeRole.encode(message.nodeRole, writer.uint32(114).fork(), _depth + 1).ldelim();
                if (message.networkAllocated != null && $Object.hasOwnProperty.call(message, "networkAllocated"))
                    $root.swarm.objects.NetworkAllocated.encode(message.networkAllocated, writer.uint32(122).fork(), _depth + 1).ldelim();
                if (message.serviceEndpoint != null && $Object.hasOwnProperty.call(message, "serviceEndpoint"))
                    $root.swarm.objects.ServiceEndpoint.encode(message.serviceEndpoint, writer.uint32(130).fork(), _depth + 1).ldelim();
                if (message.taskNetworks != null && $Object.hasOwnProperty.call(message, "taskNetworks"))
                    $root.swarm.objects.TaskNetworks.encode(message.taskNetworks, writer.uint32(138).fork(), _depth + 1).ldelim();
                if (message.taskNetworkPhase != null && $Object.hasOwnProperty.call(message, "taskNetworkPhase"))
                    $root.swarm.objects.TaskNetworkPhase.encode(message.taskNetworkPhase, writer.uint32(146).fork(), _depth + 1).ldelim();
                if (message.serviceRollBack != null && $Object.hasOwnProperty.call(message, "serviceRollBack"))
                    $root.swarm.objects.ServiceRollBack.encode(message.serviceRollBack, writer.uint32(202).fork(), _depth + 1).ldelim();
                if (message.serviceRebalance != null && $Object.hasOwnProperty.call(message, "serviceRebalance"))
                    $root.swarm.objects.ServiceRebalance.encode(message.serviceRebalance, writer.uint32(210).fork(), _depth + 1).ldelim();
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            Change.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.swarm.objects.Change();
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 2)
                                break;
                            message.putCluster = $root.swarm.objects.Cluster.decode(reader, reader.size(), $undefined, _depth + 1, message.putCluster);
                            message.change = "putCluster";
                            continue;
                        }
                    case 2: {
                            if (wireType !== 2)
                                break;
                            message.putNode = $root.swarm.objects.Node.decode(reader, reader.size(), $undefined, _depth + 1, message.putNode);
                            message.change = "putNode";
                            continue;
                        }
                    case 3: {
                            if (wireType !== 2)
                                break;
                            message.putService = $root.swarm.objects.Service.decode(reader, reader.size(), $undefined, _depth + 1, message.putService);
                            message.change = "putService";
                            continue;
                        }
                    case 4: {
                            if (wireType !== 2)
                                break;
                            message.putTask = $root.swarm.objects.Task.decode(reader, reader.size(), $undefined, _depth + 1, message.putTask);
                            message.change = "putTask";
                            continue;
                        }
                    case 5: {
                            if (wireType !== 2)
                                break;
                            message.putNetwork = $root.swarm.objects.Network.decode(reader, reader.size(), $undefined, _depth + 1, message.putNetwork);
                            message.change = "putNetwork";
                            continue;
                        }
                    case 6: {
                            if (wireType !== 2)
                                break;
                            message.putSecret = $root.swarm.objects.Secret.decode(reader, reader.size(), $undefined, _depth + 1, message.putSecret);
                            message.change = "putSecret";
                            continue;
                        }
                    case 7: {
                            if (wireType !== 2)
                                break;
                            message.putConfig = $root.swarm.objects.Config.decode(reader, reader.size(), $undefined, _depth + 1, message.putConfig);
                            message.change = "putConfig";
                            continue;
                        }
                    case 8: {
                            if (wireType !== 2)
                                break;
                            message["delete"] = $root.swarm.objects.Delete.decode(reader, reader.size(), $undefined, _depth + 1, message["delete"]);
                            message.change = "delete";
                            continue;
                        }
                    case 9: {
                            if (wireType !== 2)
                                break;
                            message.taskDesired = $root.swarm.objects.TaskDesired.decode(reader, reader.size(), $undefined, _depth + 1, message.taskDesired);
                            message.change = "taskDesired";
                            continue;
                        }
                    case 10: {
                            if (wireType !== 2)
                                break;
                            message.taskAssign = $root.swarm.objects.TaskAssign.decode(reader, reader.size(), $undefined, _depth + 1, message.taskAssign);
                            message.change = "taskAssign";
                            continue;
                        }
                    case 11: {
                            if (wireType !== 2)
                                break;
                            message.taskStatus = $root.swarm.objects.TaskStatus.decode(reader, reader.size(), $undefined, _depth + 1, message.taskStatus);
                            message.change = "taskStatus";
                            continue;
                        }
                    case 12: {
                            if (wireType !== 2)
                                break;
                            message.serviceUpdateStatus = $root.swarm.objects.ServiceUpdateStatus.decode(reader, reader.size(), $undefined, _depth + 1, message.serviceUpdateStatus);
                            message.change = "serviceUpdateStatus";
                            continue;
                        }
                    case 13: {
                            if (wireType !== 2)
                                break;
                            message.nodeStatus = $root.swarm.objects.NodeStatus.decode(reader, reader.size(), $undefined, _depth + 1, message.nodeStatus);
                            message.change = "nodeStatus";
                            continue;
                        }
                    case 14: {
                            if (wireType !== 2)
                                break;
                            message.nodeRole = $root.swarm.objects.NodeRole.decode(reader, reader.size(), $undefined, _depth + 1, message.nodeRole);
                            message.change = "nodeRole";
                            continue;
                        }
                    case 15: {
                            if (wireType !== 2)
                                break;
                            message.networkAllocated = $root.swarm.objects.NetworkAllocated.decode(reader, reader.size(), $undefined, _depth + 1, message.networkAllocated);
                            message.change = "networkAllocated";
                            continue;
                        }
                    case 16: {
                            if (wireType !== 2)
                                break;
                            message.serviceEndpoint = $root.swarm.objects.ServiceEndpoint.decode(reader, reader.size(), $undefined, _depth + 1, message.serviceEndpoint);
                            message.change = "serviceEndpoint";
                            continue;
                        }
                    case 17: {
                            if (wireType !== 2)
                                break;
                            message.taskNetworks = $root.swarm.objects.TaskNetworks.decode(reader, reader.size(), $undefined, _depth + 1, message.taskNetworks);
                            message.change = "taskNetworks";
                            continue;
                        }
                    case 18: {
                            if (wireType !== 2)
                                break;
                            message.taskNetworkPhase = $root.swarm.objects.TaskNetworkPhase.decode(reader, reader.size(), $undefined, _depth + 1, message.taskNetworkPhase);
                            message.change = "taskNetworkPhase";
                            continue;
                        }
                    case 25: {
                            if (wireType !== 2)
                                break;
                            message.serviceRollBack = $root.swarm.objects.ServiceRollBack.decode(reader, reader.size(), $undefined, _depth + 1, message.serviceRollBack);
                            message.change = "serviceRollBack";
                            continue;
                        }
                    case 26: {
                            if (wireType !== 2)
                                break;
                            message.serviceRebalance = $root.swarm.objects.ServiceRebalance.decode(reader, reader.size(), $undefined, _depth + 1, message.serviceRebalance);
                            message.change = "serviceRebalance";
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            Change.getTypeUrl = function(prefix) {
                if (prefix === $undefined)
                    prefix = "type.googleapis.com";
                return prefix + "/swarm.objects.Change";
            };

            return Change;
        })();

        objects.Requester = (function() {

            const Requester = function (properties) {
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            Requester.prototype.nodeId = "";
            Requester.prototype.door = "";
            Requester.prototype.actor = "";

            Requester.create = function(properties) {
                return new Requester(properties);
            };

            Requester.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.nodeId != null && $Object.hasOwnProperty.call(message, "nodeId") && message.nodeId !== "")
                    writer.uint32(10).string(message.nodeId);
                if (message.door != null && $Object.hasOwnProperty.call(message, "door") && message.door !== "")
                    writer.uint32(18).string(message.door);
                if (message.actor != null && $Object.hasOwnProperty.call(message, "actor") && message.actor !== "")
                    writer.uint32(26).string(message.actor);
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            Requester.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.swarm.objects.Requester();
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.nodeId = value;
                            else
                                delete message.nodeId;
                            continue;
                        }
                    case 2: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.door = value;
                            else
                                delete message.door;
                            continue;
                        }
                    case 3: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.actor = value;
                            else
                                delete message.actor;
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            Requester.getTypeUrl = function(prefix) {
                if (prefix === $undefined)
                    prefix = "type.googleapis.com";
                return prefix + "/swarm.objects.Requester";
            };

            return Requester;
        })();

        objects.Transaction = (function() {

            const Transaction = function (properties) {
                this.preconditions = [];
                this.changes = [];
                this.specs = [];
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            Transaction.prototype.format = 0;
            Transaction.prototype.requestId = "";
            Transaction.prototype.atMs = 0;
            Transaction.prototype.isClient = false;
            Transaction.prototype.preconditions = $util.emptyArray;
            Transaction.prototype.changes = $util.emptyArray;
            Transaction.prototype.resultJson = "";
            Transaction.prototype.specs = $util.emptyArray;
            Transaction.prototype.requester = null;

            Transaction.create = function(properties) {
                return new Transaction(properties);
            };

            Transaction.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.format != null && $Object.hasOwnProperty.call(message, "format") && message.format !== 0)
                    writer.uint32(8).uint32(message.format);
                if (message.requestId != null && $Object.hasOwnProperty.call(message, "requestId") && message.requestId !== "")
                    writer.uint32(18).string(message.requestId);
                if (message.atMs != null && $Object.hasOwnProperty.call(message, "atMs") && !$Object.is(message.atMs, 0))
                    writer.uint32(25).double(message.atMs);
                if (message.isClient != null && $Object.hasOwnProperty.call(message, "isClient") && message.isClient !== false)
                    writer.uint32(32).bool(message.isClient);
                if (message.preconditions != null && message.preconditions.length)
                    for (let i = 0; i < message.preconditions.length; ++i)
                        $root.swarm.objects.Precondition.encode(message.preconditions[i], writer.uint32(42).fork(), _depth + 1).ldelim();
                if (message.changes != null && message.changes.length)
                    for (let i = 0; i < message.changes.length; ++i)
                        $root.swarm.objects.Change.encode(message.changes[i], writer.uint32(50).fork(), _depth + 1).ldelim();
                if (message.resultJson != null && $Object.hasOwnProperty.call(message, "resultJson") && message.resultJson !== "")
                    writer.uint32(58).string(message.resultJson);
                if (message.specs != null && message.specs.length)
                    for (let i = 0; i < message.specs.length; ++i)
                        writer.uint32(66).bytes(message.specs[i]);
                if (message.requester != null && $Object.hasOwnProperty.call(message, "requester"))
                    $root.swarm.objects.Requester.encode(message.requester, writer.uint32(322).fork(), _depth + 1).ldelim();
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            Transaction.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.swarm.objects.Transaction();
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 0)
                                break;
                            if (value = reader.uint32())
                                message.format = value;
                            else
                                delete message.format;
                            continue;
                        }
                    case 2: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.requestId = value;
                            else
                                delete message.requestId;
                            continue;
                        }
                    case 3: {
                            if (wireType !== 1)
                                break;
                            if (!$Object.is(value = reader.double(), 0))
                                message.atMs = value;
                            else
                                delete message.atMs;
                            continue;
                        }
                    case 4: {
                            if (wireType !== 0)
                                break;
                            if (value = reader.bool())
                                message.isClient = value;
                            else
                                delete message.isClient;
                            continue;
                        }
                    case 5: {
                            if (wireType !== 2)
                                break;
                            if (!(message.preconditions && message.preconditions.length))
                                message.preconditions = [];
                            message.preconditions.push($root.swarm.objects.Precondition.decode(reader, reader.size(), $undefined, _depth + 1));
                            continue;
                        }
                    case 6: {
                            if (wireType !== 2)
                                break;
                            if (!(message.changes && message.changes.length))
                                message.changes = [];
                            message.changes.push($root.swarm.objects.Change.decode(reader, reader.size(), $undefined, _depth + 1));
                            continue;
                        }
                    case 7: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.resultJson = value;
                            else
                                delete message.resultJson;
                            continue;
                        }
                    case 8: {
                            if (wireType !== 2)
                                break;
                            if (!(message.specs && message.specs.length))
                                message.specs = [];
                            message.specs.push(reader.bytes());
                            continue;
                        }
                    case 40: {
                            if (wireType !== 2)
                                break;
                            message.requester = $root.swarm.objects.Requester.decode(reader, reader.size(), $undefined, _depth + 1, message.requester);
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            Transaction.getTypeUrl = function(prefix) {
                if (prefix === $undefined)
                    prefix = "type.googleapis.com";
                return prefix + "/swarm.objects.Transaction";
            };

            return Transaction;
        })();

        objects.StoredResult = (function() {

            const StoredResult = function (properties) {
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            StoredResult.prototype.requestId = "";
            StoredResult.prototype.atMs = 0;
            StoredResult.prototype.index = $util.Long ? $util.Long.fromBits(0,0,true) : 0;
            StoredResult.prototype.resultJson = "";

            StoredResult.create = function(properties) {
                return new StoredResult(properties);
            };

            StoredResult.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.requestId != null && $Object.hasOwnProperty.call(message, "requestId") && message.requestId !== "")
                    writer.uint32(10).string(message.requestId);
                if (message.atMs != null && $Object.hasOwnProperty.call(message, "atMs") && !$Object.is(message.atMs, 0))
                    writer.uint32(17).double(message.atMs);
                if (message.index != null && $Object.hasOwnProperty.call(message, "index") && (typeof message.index === "object" ? message.index.low || message.index.high : message.index !== 0))
                    writer.uint32(24).uint64(message.index);
                if (message.resultJson != null && $Object.hasOwnProperty.call(message, "resultJson") && message.resultJson !== "")
                    writer.uint32(34).string(message.resultJson);
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            StoredResult.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.swarm.objects.StoredResult();
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.requestId = value;
                            else
                                delete message.requestId;
                            continue;
                        }
                    case 2: {
                            if (wireType !== 1)
                                break;
                            if (!$Object.is(value = reader.double(), 0))
                                message.atMs = value;
                            else
                                delete message.atMs;
                            continue;
                        }
                    case 3: {
                            if (wireType !== 0)
                                break;
                            if (typeof (value = reader.uint64()) === "object" ? value.low || value.high : value !== 0)
                                message.index = value;
                            else
                                delete message.index;
                            continue;
                        }
                    case 4: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.resultJson = value;
                            else
                                delete message.resultJson;
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            StoredResult.getTypeUrl = function(prefix) {
                if (prefix === $undefined)
                    prefix = "type.googleapis.com";
                return prefix + "/swarm.objects.StoredResult";
            };

            return StoredResult;
        })();

        objects.SnapshotRecord = (function() {

            const SnapshotRecord = function (properties) {
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            SnapshotRecord.prototype.header = null;
            SnapshotRecord.prototype.specJson = null;
            SnapshotRecord.prototype.cluster = null;
            SnapshotRecord.prototype.node = null;
            SnapshotRecord.prototype.service = null;
            SnapshotRecord.prototype.task = null;
            SnapshotRecord.prototype.network = null;
            SnapshotRecord.prototype.secret = null;
            SnapshotRecord.prototype.config = null;
            SnapshotRecord.prototype.result = null;
            SnapshotRecord.prototype.end = null;

            let $oneOfFields;

            $Object.defineProperty(SnapshotRecord.prototype, "record", {
                get: $util.oneOfGetter($oneOfFields = ["header", "specJson", "cluster", "node", "service", "task", "network", "secret", "config", "result", "end"]),
                set: $util.oneOfSetter($oneOfFields)
            });

            SnapshotRecord.create = function(properties) {
                return new SnapshotRecord(properties);
            };

            SnapshotRecord.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.header != null && $Object.hasOwnProperty.call(message, "header"))
                    $root.swarm.objects.SnapshotHeader.encode(message.header, writer.uint32(10).fork(), _depth + 1).ldelim();
                if (message.specJson != null && $Object.hasOwnProperty.call(message, "specJson"))
                    writer.uint32(18).bytes(message.specJson);
                if (message.cluster != null && $Object.hasOwnProperty.call(message, "cluster"))
                    $root.swarm.objects.Cluster.encode(message.cluster, writer.uint32(26).fork(), _depth + 1).ldelim();
                if (message.node != null && $Object.hasOwnProperty.call(message, "node"))
                    $root.swarm.objects.Node.encode(message.node, writer.uint32(34).fork(), _depth + 1).ldelim();
                if (message.service != null && $Object.hasOwnProperty.call(message, "service"))
                    $root.swarm.objects.Service.encode(message.service, writer.uint32(42).fork(), _depth + 1).ldelim();
                if (message.task != null && $Object.hasOwnProperty.call(message, "task"))
                    $root.swarm.objects.Task.encode(message.task, writer.uint32(50).fork(), _depth + 1).ldelim();
                if (message.network != null && $Object.hasOwnProperty.call(message, "network"))
                    $root.swarm.objects.Network.encode(message.network, writer.uint32(58).fork(), _depth + 1).ldelim();
                if (message.secret != null && $Object.hasOwnProperty.call(message, "secret"))
                    $root.swarm.objects.Secret.encode(message.secret, writer.uint32(66).fork(), _depth + 1).ldelim();
                if (message.config != null && $Object.hasOwnProperty.call(message, "config"))
                    $root.swarm.objects.Config.encode(message.config, writer.uint32(74).fork(), _depth + 1).ldelim();
                if (message.result != null && $Object.hasOwnProperty.call(message, "result"))
                    $root.swarm.objects.StoredResult.encode(message.result, writer.uint32(82).fork(), _depth + 1).ldelim();
                if (message.end != null && $Object.hasOwnProperty.call(message, "end"))
                    $root.swarm.objects.SnapshotEnd.encode(message.end, writer.uint32(90).fork(), _depth + 1).ldelim();
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            SnapshotRecord.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.swarm.objects.SnapshotRecord();
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 2)
                                break;
                            message.header = $root.swarm.objects.SnapshotHeader.decode(reader, reader.size(), $undefined, _depth + 1, message.header);
                            message.record = "header";
                            continue;
                        }
                    case 2: {
                            if (wireType !== 2)
                                break;
                            message.specJson = reader.bytes();
                            message.record = "specJson";
                            continue;
                        }
                    case 3: {
                            if (wireType !== 2)
                                break;
                            message.cluster = $root.swarm.objects.Cluster.decode(reader, reader.size(), $undefined, _depth + 1, message.cluster);
                            message.record = "cluster";
                            continue;
                        }
                    case 4: {
                            if (wireType !== 2)
                                break;
                            message.node = $root.swarm.objects.Node.decode(reader, reader.size(), $undefined, _depth + 1, message.node);
                            message.record = "node";
                            continue;
                        }
                    case 5: {
                            if (wireType !== 2)
                                break;
                            message.service = $root.swarm.objects.Service.decode(reader, reader.size(), $undefined, _depth + 1, message.service);
                            message.record = "service";
                            continue;
                        }
                    case 6: {
                            if (wireType !== 2)
                                break;
                            message.task = $root.swarm.objects.Task.decode(reader, reader.size(), $undefined, _depth + 1, message.task);
                            message.record = "task";
                            continue;
                        }
                    case 7: {
                            if (wireType !== 2)
                                break;
                            message.network = $root.swarm.objects.Network.decode(reader, reader.size(), $undefined, _depth + 1, message.network);
                            message.record = "network";
                            continue;
                        }
                    case 8: {
                            if (wireType !== 2)
                                break;
                            message.secret = $root.swarm.objects.Secret.decode(reader, reader.size(), $undefined, _depth + 1, message.secret);
                            message.record = "secret";
                            continue;
                        }
                    case 9: {
                            if (wireType !== 2)
                                break;
                            message.config = $root.swarm.objects.Config.decode(reader, reader.size(), $undefined, _depth + 1, message.config);
                            message.record = "config";
                            continue;
                        }
                    case 10: {
                            if (wireType !== 2)
                                break;
                            message.result = $root.swarm.objects.StoredResult.decode(reader, reader.size(), $undefined, _depth + 1, message.result);
                            message.record = "result";
                            continue;
                        }
                    case 11: {
                            if (wireType !== 2)
                                break;
                            message.end = $root.swarm.objects.SnapshotEnd.decode(reader, reader.size(), $undefined, _depth + 1, message.end);
                            message.record = "end";
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            SnapshotRecord.getTypeUrl = function(prefix) {
                if (prefix === $undefined)
                    prefix = "type.googleapis.com";
                return prefix + "/swarm.objects.SnapshotRecord";
            };

            return SnapshotRecord;
        })();

        objects.SnapshotHeader = (function() {

            const SnapshotHeader = function (properties) {
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            SnapshotHeader.prototype.format = 0;
            SnapshotHeader.prototype.index = $util.Long ? $util.Long.fromBits(0,0,true) : 0;

            SnapshotHeader.create = function(properties) {
                return new SnapshotHeader(properties);
            };

            SnapshotHeader.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.format != null && $Object.hasOwnProperty.call(message, "format") && message.format !== 0)
                    writer.uint32(8).uint32(message.format);
                if (message.index != null && $Object.hasOwnProperty.call(message, "index") && (typeof message.index === "object" ? message.index.low || message.index.high : message.index !== 0))
                    writer.uint32(16).uint64(message.index);
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            SnapshotHeader.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.swarm.objects.SnapshotHeader();
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 0)
                                break;
                            if (value = reader.uint32())
                                message.format = value;
                            else
                                delete message.format;
                            continue;
                        }
                    case 2: {
                            if (wireType !== 0)
                                break;
                            if (typeof (value = reader.uint64()) === "object" ? value.low || value.high : value !== 0)
                                message.index = value;
                            else
                                delete message.index;
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            SnapshotHeader.getTypeUrl = function(prefix) {
                if (prefix === $undefined)
                    prefix = "type.googleapis.com";
                return prefix + "/swarm.objects.SnapshotHeader";
            };

            return SnapshotHeader;
        })();

        objects.SnapshotEnd = (function() {

            const SnapshotEnd = function (properties) {
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            SnapshotEnd.prototype.recordCount = $util.Long ? $util.Long.fromBits(0,0,true) : 0;
            SnapshotEnd.prototype.crc32 = 0;

            SnapshotEnd.create = function(properties) {
                return new SnapshotEnd(properties);
            };

            SnapshotEnd.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.recordCount != null && $Object.hasOwnProperty.call(message, "recordCount") && (typeof message.recordCount === "object" ? message.recordCount.low || message.recordCount.high : message.recordCount !== 0))
                    writer.uint32(8).uint64(message.recordCount);
                if (message.crc32 != null && $Object.hasOwnProperty.call(message, "crc32") && message.crc32 !== 0)
                    writer.uint32(21).fixed32(message.crc32);
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            SnapshotEnd.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.swarm.objects.SnapshotEnd();
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 0)
                                break;
                            if (typeof (value = reader.uint64()) === "object" ? value.low || value.high : value !== 0)
                                message.recordCount = value;
                            else
                                delete message.recordCount;
                            continue;
                        }
                    case 2: {
                            if (wireType !== 5)
                                break;
                            if (value = reader.fixed32())
                                message.crc32 = value;
                            else
                                delete message.crc32;
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            SnapshotEnd.getTypeUrl = function(prefix) {
                if (prefix === $undefined)
                    prefix = "type.googleapis.com";
                return prefix + "/swarm.objects.SnapshotEnd";
            };

            return SnapshotEnd;
        })();

        return objects;
    })();

    swarm.net = (function() {

        const net = {};

        net.NetworksRequest = (function() {

            const NetworksRequest = function (properties) {
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            NetworksRequest.prototype.complete = false;
            NetworksRequest.prototype.appliesTo = $util.Long ? $util.Long.fromBits(0,0,true) : 0;
            NetworksRequest.prototype.resultsIn = $util.Long ? $util.Long.fromBits(0,0,true) : 0;
            NetworksRequest.prototype.bodyJson = $util.newBuffer([]);

            NetworksRequest.create = function(properties) {
                return new NetworksRequest(properties);
            };

            NetworksRequest.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.complete != null && $Object.hasOwnProperty.call(message, "complete") && message.complete !== false)
                    writer.uint32(8).bool(message.complete);
                if (message.appliesTo != null && $Object.hasOwnProperty.call(message, "appliesTo") && (typeof message.appliesTo === "object" ? message.appliesTo.low || message.appliesTo.high : message.appliesTo !== 0))
                    writer.uint32(16).uint64(message.appliesTo);
                if (message.resultsIn != null && $Object.hasOwnProperty.call(message, "resultsIn") && (typeof message.resultsIn === "object" ? message.resultsIn.low || message.resultsIn.high : message.resultsIn !== 0))
                    writer.uint32(24).uint64(message.resultsIn);
                if (message.bodyJson != null && $Object.hasOwnProperty.call(message, "bodyJson") && message.bodyJson.length)
                    writer.uint32(34).bytes(message.bodyJson);
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            NetworksRequest.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.swarm.net.NetworksRequest();
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 0)
                                break;
                            if (value = reader.bool())
                                message.complete = value;
                            else
                                delete message.complete;
                            continue;
                        }
                    case 2: {
                            if (wireType !== 0)
                                break;
                            if (typeof (value = reader.uint64()) === "object" ? value.low || value.high : value !== 0)
                                message.appliesTo = value;
                            else
                                delete message.appliesTo;
                            continue;
                        }
                    case 3: {
                            if (wireType !== 0)
                                break;
                            if (typeof (value = reader.uint64()) === "object" ? value.low || value.high : value !== 0)
                                message.resultsIn = value;
                            else
                                delete message.resultsIn;
                            continue;
                        }
                    case 4: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.bytes()).length)
                                message.bodyJson = value;
                            else
                                delete message.bodyJson;
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            NetworksRequest.getTypeUrl = function(prefix) {
                if (prefix === $undefined)
                    prefix = "type.googleapis.com";
                return prefix + "/swarm.net.NetworksRequest";
            };

            return NetworksRequest;
        })();

        net.NetworksReply = (function() {

            const NetworksReply = function (properties) {
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            NetworksReply.prototype.appliedIndex = $util.Long ? $util.Long.fromBits(0,0,true) : 0;
            NetworksReply.prototype.needsComplete = false;
            NetworksReply.prototype.tunnel = null;

            NetworksReply.create = function(properties) {
                return new NetworksReply(properties);
            };

            NetworksReply.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.appliedIndex != null && $Object.hasOwnProperty.call(message, "appliedIndex") && (typeof message.appliedIndex === "object" ? message.appliedIndex.low || message.appliedIndex.high : message.appliedIndex !== 0))
                    writer.uint32(8).uint64(message.appliedIndex);
                if (message.needsComplete != null && $Object.hasOwnProperty.call(message, "needsComplete") && message.needsComplete !== false)
                    writer.uint32(16).bool(message.needsComplete);
                if (message.tunnel != null && $Object.hasOwnProperty.call(message, "tunnel"))
                    $root.swarm.net.Tunnel.encode(message.tunnel, writer.uint32(26).fork(), _depth + 1).ldelim();
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            NetworksReply.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.swarm.net.NetworksReply();
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 0)
                                break;
                            if (typeof (value = reader.uint64()) === "object" ? value.low || value.high : value !== 0)
                                message.appliedIndex = value;
                            else
                                delete message.appliedIndex;
                            continue;
                        }
                    case 2: {
                            if (wireType !== 0)
                                break;
                            if (value = reader.bool())
                                message.needsComplete = value;
                            else
                                delete message.needsComplete;
                            continue;
                        }
                    case 3: {
                            if (wireType !== 2)
                                break;
                            message.tunnel = $root.swarm.net.Tunnel.decode(reader, reader.size(), $undefined, _depth + 1, message.tunnel);
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            NetworksReply.getTypeUrl = function(prefix) {
                if (prefix === $undefined)
                    prefix = "type.googleapis.com";
                return prefix + "/swarm.net.NetworksReply";
            };

            return NetworksReply;
        })();

        net.Tunnel = (function() {

            const Tunnel = function (properties) {
                this.pairKeys = [];
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            Tunnel.prototype.implementation = "";
            Tunnel.prototype.publicKey = "";
            Tunnel.prototype.pairKeys = $util.emptyArray;

            Tunnel.create = function(properties) {
                return new Tunnel(properties);
            };

            Tunnel.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.implementation != null && $Object.hasOwnProperty.call(message, "implementation") && message.implementation !== "")
                    writer.uint32(10).string(message.implementation);
                if (message.publicKey != null && $Object.hasOwnProperty.call(message, "publicKey") && message.publicKey !== "")
                    writer.uint32(18).string(message.publicKey);
                if (message.pairKeys != null && message.pairKeys.length)
                    for (let i = 0; i < message.pairKeys.length; ++i)
                        writer.uint32(26).string(message.pairKeys[i]);
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            Tunnel.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.swarm.net.Tunnel();
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.implementation = value;
                            else
                                delete message.implementation;
                            continue;
                        }
                    case 2: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.publicKey = value;
                            else
                                delete message.publicKey;
                            continue;
                        }
                    case 3: {
                            if (wireType !== 2)
                                break;
                            if (!(message.pairKeys && message.pairKeys.length))
                                message.pairKeys = [];
                            message.pairKeys.push(reader.stringVerify());
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            Tunnel.getTypeUrl = function(prefix) {
                if (prefix === $undefined)
                    prefix = "type.googleapis.com";
                return prefix + "/swarm.net.Tunnel";
            };

            return Tunnel;
        })();

        net.FlowsRequest = (function() {

            const FlowsRequest = function (properties) {
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            FlowsRequest.prototype.containerId = "";
            FlowsRequest.prototype.taskId = "";

            FlowsRequest.create = function(properties) {
                return new FlowsRequest(properties);
            };

            FlowsRequest.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.containerId != null && $Object.hasOwnProperty.call(message, "containerId") && message.containerId !== "")
                    writer.uint32(10).string(message.containerId);
                if (message.taskId != null && $Object.hasOwnProperty.call(message, "taskId") && message.taskId !== "")
                    writer.uint32(18).string(message.taskId);
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            FlowsRequest.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.swarm.net.FlowsRequest();
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.containerId = value;
                            else
                                delete message.containerId;
                            continue;
                        }
                    case 2: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.taskId = value;
                            else
                                delete message.taskId;
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            FlowsRequest.getTypeUrl = function(prefix) {
                if (prefix === $undefined)
                    prefix = "type.googleapis.com";
                return prefix + "/swarm.net.FlowsRequest";
            };

            return FlowsRequest;
        })();

        net.FlowsReply = (function() {

            const FlowsReply = function (properties) {
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            FlowsReply.prototype.open = 0;
            FlowsReply.prototype.drainMs = 0;

            FlowsReply.create = function(properties) {
                return new FlowsReply(properties);
            };

            FlowsReply.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.open != null && $Object.hasOwnProperty.call(message, "open") && message.open !== 0)
                    writer.uint32(8).uint32(message.open);
                if (message.drainMs != null && $Object.hasOwnProperty.call(message, "drainMs") && message.drainMs !== 0)
                    writer.uint32(16).uint32(message.drainMs);
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            FlowsReply.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.swarm.net.FlowsReply();
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 0)
                                break;
                            if (value = reader.uint32())
                                message.open = value;
                            else
                                delete message.open;
                            continue;
                        }
                    case 2: {
                            if (wireType !== 0)
                                break;
                            if (value = reader.uint32())
                                message.drainMs = value;
                            else
                                delete message.drainMs;
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            FlowsReply.getTypeUrl = function(prefix) {
                if (prefix === $undefined)
                    prefix = "type.googleapis.com";
                return prefix + "/swarm.net.FlowsReply";
            };

            return FlowsReply;
        })();

        net.VerifyRequest = (function() {

            const VerifyRequest = function (properties) {
                this.networkIds = [];
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            VerifyRequest.prototype.networkIds = $util.emptyArray;
            VerifyRequest.prototype.repair = false;

            VerifyRequest.create = function(properties) {
                return new VerifyRequest(properties);
            };

            VerifyRequest.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.networkIds != null && message.networkIds.length)
                    for (let i = 0; i < message.networkIds.length; ++i)
                        writer.uint32(10).string(message.networkIds[i]);
                if (message.repair != null && $Object.hasOwnProperty.call(message, "repair") && message.repair !== false)
                    writer.uint32(16).bool(message.repair);
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            VerifyRequest.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.swarm.net.VerifyRequest();
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 2)
                                break;
                            if (!(message.networkIds && message.networkIds.length))
                                message.networkIds = [];
                            message.networkIds.push(reader.stringVerify());
                            continue;
                        }
                    case 2: {
                            if (wireType !== 0)
                                break;
                            if (value = reader.bool())
                                message.repair = value;
                            else
                                delete message.repair;
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            VerifyRequest.getTypeUrl = function(prefix) {
                if (prefix === $undefined)
                    prefix = "type.googleapis.com";
                return prefix + "/swarm.net.VerifyRequest";
            };

            return VerifyRequest;
        })();

        net.Drift = (function() {

            const Drift = function (properties) {
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            Drift.prototype.networkId = "";
            Drift.prototype.netns = "";
            Drift.prototype.what = "";
            Drift.prototype.repaired = false;

            Drift.create = function(properties) {
                return new Drift(properties);
            };

            Drift.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.networkId != null && $Object.hasOwnProperty.call(message, "networkId") && message.networkId !== "")
                    writer.uint32(10).string(message.networkId);
                if (message.netns != null && $Object.hasOwnProperty.call(message, "netns") && message.netns !== "")
                    writer.uint32(18).string(message.netns);
                if (message.what != null && $Object.hasOwnProperty.call(message, "what") && message.what !== "")
                    writer.uint32(26).string(message.what);
                if (message.repaired != null && $Object.hasOwnProperty.call(message, "repaired") && message.repaired !== false)
                    writer.uint32(32).bool(message.repaired);
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            Drift.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.swarm.net.Drift();
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.networkId = value;
                            else
                                delete message.networkId;
                            continue;
                        }
                    case 2: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.netns = value;
                            else
                                delete message.netns;
                            continue;
                        }
                    case 3: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.what = value;
                            else
                                delete message.what;
                            continue;
                        }
                    case 4: {
                            if (wireType !== 0)
                                break;
                            if (value = reader.bool())
                                message.repaired = value;
                            else
                                delete message.repaired;
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            Drift.getTypeUrl = function(prefix) {
                if (prefix === $undefined)
                    prefix = "type.googleapis.com";
                return prefix + "/swarm.net.Drift";
            };

            return Drift;
        })();

        net.VerifyReply = (function() {

            const VerifyReply = function (properties) {
                this.drifts = [];
                this.proxied = [];
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            VerifyReply.prototype.drifts = $util.emptyArray;
            VerifyReply.prototype.appliedIndex = $util.Long ? $util.Long.fromBits(0,0,true) : 0;
            VerifyReply.prototype.tunnel = null;
            VerifyReply.prototype.proxied = $util.emptyArray;

            VerifyReply.create = function(properties) {
                return new VerifyReply(properties);
            };

            VerifyReply.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.drifts != null && message.drifts.length)
                    for (let i = 0; i < message.drifts.length; ++i)
                        $root.swarm.net.Drift.encode(message.drifts[i], writer.uint32(10).fork(), _depth + 1).ldelim();
                if (message.appliedIndex != null && $Object.hasOwnProperty.call(message, "appliedIndex") && (typeof message.appliedIndex === "object" ? message.appliedIndex.low || message.appliedIndex.high : message.appliedIndex !== 0))
                    writer.uint32(16).uint64(message.appliedIndex);
                if (message.tunnel != null && $Object.hasOwnProperty.call(message, "tunnel"))
                    $root.swarm.net.Tunnel.encode(message.tunnel, writer.uint32(26).fork(), _depth + 1).ldelim();
                if (message.proxied != null && message.proxied.length)
                    for (let i = 0; i < message.proxied.length; ++i)
                        $root.swarm.net.ProxiedPort.encode(message.proxied[i], writer.uint32(34).fork(), _depth + 1).ldelim();
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            VerifyReply.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.swarm.net.VerifyReply();
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 2)
                                break;
                            if (!(message.drifts && message.drifts.length))
                                message.drifts = [];
                            message.drifts.push($root.swarm.net.Drift.decode(reader, reader.size(), $undefined, _depth + 1));
                            continue;
                        }
                    case 2: {
                            if (wireType !== 0)
                                break;
                            if (typeof (value = reader.uint64()) === "object" ? value.low || value.high : value !== 0)
                                message.appliedIndex = value;
                            else
                                delete message.appliedIndex;
                            continue;
                        }
                    case 3: {
                            if (wireType !== 2)
                                break;
                            message.tunnel = $root.swarm.net.Tunnel.decode(reader, reader.size(), $undefined, _depth + 1, message.tunnel);
                            continue;
                        }
                    case 4: {
                            if (wireType !== 2)
                                break;
                            if (!(message.proxied && message.proxied.length))
                                message.proxied = [];
                            message.proxied.push($root.swarm.net.ProxiedPort.decode(reader, reader.size(), $undefined, _depth + 1));
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            VerifyReply.getTypeUrl = function(prefix) {
                if (prefix === $undefined)
                    prefix = "type.googleapis.com";
                return prefix + "/swarm.net.VerifyReply";
            };

            return VerifyReply;
        })();

        net.ProxiedPort = (function() {

            const ProxiedPort = function (properties) {
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            ProxiedPort.prototype.serviceId = "";
            ProxiedPort.prototype.taskId = "";
            ProxiedPort.prototype.protocol = "";
            ProxiedPort.prototype.targetPort = 0;

            ProxiedPort.create = function(properties) {
                return new ProxiedPort(properties);
            };

            ProxiedPort.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.serviceId != null && $Object.hasOwnProperty.call(message, "serviceId") && message.serviceId !== "")
                    writer.uint32(10).string(message.serviceId);
                if (message.taskId != null && $Object.hasOwnProperty.call(message, "taskId") && message.taskId !== "")
                    writer.uint32(18).string(message.taskId);
                if (message.protocol != null && $Object.hasOwnProperty.call(message, "protocol") && message.protocol !== "")
                    writer.uint32(26).string(message.protocol);
                if (message.targetPort != null && $Object.hasOwnProperty.call(message, "targetPort") && message.targetPort !== 0)
                    writer.uint32(32).uint32(message.targetPort);
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            ProxiedPort.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.swarm.net.ProxiedPort();
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.serviceId = value;
                            else
                                delete message.serviceId;
                            continue;
                        }
                    case 2: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.taskId = value;
                            else
                                delete message.taskId;
                            continue;
                        }
                    case 3: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.protocol = value;
                            else
                                delete message.protocol;
                            continue;
                        }
                    case 4: {
                            if (wireType !== 0)
                                break;
                            if (value = reader.uint32())
                                message.targetPort = value;
                            else
                                delete message.targetPort;
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            ProxiedPort.getTypeUrl = function(prefix) {
                if (prefix === $undefined)
                    prefix = "type.googleapis.com";
                return prefix + "/swarm.net.ProxiedPort";
            };

            return ProxiedPort;
        })();

        net.HostPort = (function() {

            const HostPort = function (properties) {
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            HostPort.prototype.protocol = "";
            HostPort.prototype.targetPort = 0;
            HostPort.prototype.publishedPort = 0;

            HostPort.create = function(properties) {
                return new HostPort(properties);
            };

            HostPort.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.protocol != null && $Object.hasOwnProperty.call(message, "protocol") && message.protocol !== "")
                    writer.uint32(10).string(message.protocol);
                if (message.targetPort != null && $Object.hasOwnProperty.call(message, "targetPort") && message.targetPort !== 0)
                    writer.uint32(16).uint32(message.targetPort);
                if (message.publishedPort != null && $Object.hasOwnProperty.call(message, "publishedPort") && message.publishedPort !== 0)
                    writer.uint32(24).uint32(message.publishedPort);
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            HostPort.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.swarm.net.HostPort();
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.protocol = value;
                            else
                                delete message.protocol;
                            continue;
                        }
                    case 2: {
                            if (wireType !== 0)
                                break;
                            if (value = reader.uint32())
                                message.targetPort = value;
                            else
                                delete message.targetPort;
                            continue;
                        }
                    case 3: {
                            if (wireType !== 0)
                                break;
                            if (value = reader.uint32())
                                message.publishedPort = value;
                            else
                                delete message.publishedPort;
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            HostPort.getTypeUrl = function(prefix) {
                if (prefix === $undefined)
                    prefix = "type.googleapis.com";
                return prefix + "/swarm.net.HostPort";
            };

            return HostPort;
        })();

        net.AttachRequest = (function() {

            const AttachRequest = function (properties) {
                this.hostPorts = [];
                this.networkIds = [];
                this.dnsServers = [];
                this.dnsSearch = [];
                this.dnsOptions = [];
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            AttachRequest.prototype.containerId = "";
            AttachRequest.prototype.mode = "";
            AttachRequest.prototype.hostPorts = $util.emptyArray;
            AttachRequest.prototype.taskId = "";
            AttachRequest.prototype.networkIds = $util.emptyArray;
            AttachRequest.prototype.dnsServers = $util.emptyArray;
            AttachRequest.prototype.dnsSearch = $util.emptyArray;
            AttachRequest.prototype.dnsOptions = $util.emptyArray;

            AttachRequest.create = function(properties) {
                return new AttachRequest(properties);
            };

            AttachRequest.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.containerId != null && $Object.hasOwnProperty.call(message, "containerId") && message.containerId !== "")
                    writer.uint32(10).string(message.containerId);
                if (message.mode != null && $Object.hasOwnProperty.call(message, "mode") && message.mode !== "")
                    writer.uint32(18).string(message.mode);
                if (message.hostPorts != null && message.hostPorts.length)
                    for (let i = 0; i < message.hostPorts.length; ++i)
                        $root.swarm.net.HostPort.encode(message.hostPorts[i], writer.uint32(26).fork(), _depth + 1).ldelim();
                if (message.taskId != null && $Object.hasOwnProperty.call(message, "taskId") && message.taskId !== "")
                    writer.uint32(34).string(message.taskId);
                if (message.networkIds != null && message.networkIds.length)
                    for (let i = 0; i < message.networkIds.length; ++i)
                        writer.uint32(42).string(message.networkIds[i]);
                if (message.dnsServers != null && message.dnsServers.length)
                    for (let i = 0; i < message.dnsServers.length; ++i)
                        writer.uint32(50).string(message.dnsServers[i]);
                if (message.dnsSearch != null && message.dnsSearch.length)
                    for (let i = 0; i < message.dnsSearch.length; ++i)
                        writer.uint32(58).string(message.dnsSearch[i]);
                if (message.dnsOptions != null && message.dnsOptions.length)
                    for (let i = 0; i < message.dnsOptions.length; ++i)
                        writer.uint32(66).string(message.dnsOptions[i]);
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            AttachRequest.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.swarm.net.AttachRequest();
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.containerId = value;
                            else
                                delete message.containerId;
                            continue;
                        }
                    case 2: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.mode = value;
                            else
                                delete message.mode;
                            continue;
                        }
                    case 3: {
                            if (wireType !== 2)
                                break;
                            if (!(message.hostPorts && message.hostPorts.length))
                                message.hostPorts = [];
                            message.hostPorts.push($root.swarm.net.HostPort.decode(reader, reader.size(), $undefined, _depth + 1));
                            continue;
                        }
                    case 4: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.taskId = value;
                            else
                                delete message.taskId;
                            continue;
                        }
                    case 5: {
                            if (wireType !== 2)
                                break;
                            if (!(message.networkIds && message.networkIds.length))
                                message.networkIds = [];
                            message.networkIds.push(reader.stringVerify());
                            continue;
                        }
                    case 6: {
                            if (wireType !== 2)
                                break;
                            if (!(message.dnsServers && message.dnsServers.length))
                                message.dnsServers = [];
                            message.dnsServers.push(reader.stringVerify());
                            continue;
                        }
                    case 7: {
                            if (wireType !== 2)
                                break;
                            if (!(message.dnsSearch && message.dnsSearch.length))
                                message.dnsSearch = [];
                            message.dnsSearch.push(reader.stringVerify());
                            continue;
                        }
                    case 8: {
                            if (wireType !== 2)
                                break;
                            if (!(message.dnsOptions && message.dnsOptions.length))
                                message.dnsOptions = [];
                            message.dnsOptions.push(reader.stringVerify());
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            AttachRequest.getTypeUrl = function(prefix) {
                if (prefix === $undefined)
                    prefix = "type.googleapis.com";
                return prefix + "/swarm.net.AttachRequest";
            };

            return AttachRequest;
        })();

        net.AttachReply = (function() {

            const AttachReply = function (properties) {
                this.hostPorts = [];
                this.nameservers = [];
                this.search = [];
                this.options = [];
                this.networks = [];
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            AttachReply.prototype.netnsPath = "";
            AttachReply.prototype.address = "";
            AttachReply.prototype.gateway = "";
            AttachReply.prototype.mac = "";
            AttachReply.prototype.hostPorts = $util.emptyArray;
            AttachReply.prototype.nameservers = $util.emptyArray;
            AttachReply.prototype.search = $util.emptyArray;
            AttachReply.prototype.options = $util.emptyArray;
            AttachReply.prototype.networks = $util.emptyArray;

            AttachReply.create = function(properties) {
                return new AttachReply(properties);
            };

            AttachReply.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.netnsPath != null && $Object.hasOwnProperty.call(message, "netnsPath") && message.netnsPath !== "")
                    writer.uint32(10).string(message.netnsPath);
                if (message.address != null && $Object.hasOwnProperty.call(message, "address") && message.address !== "")
                    writer.uint32(18).string(message.address);
                if (message.gateway != null && $Object.hasOwnProperty.call(message, "gateway") && message.gateway !== "")
                    writer.uint32(26).string(message.gateway);
                if (message.mac != null && $Object.hasOwnProperty.call(message, "mac") && message.mac !== "")
                    writer.uint32(34).string(message.mac);
                if (message.hostPorts != null && message.hostPorts.length)
                    for (let i = 0; i < message.hostPorts.length; ++i)
                        $root.swarm.net.HostPort.encode(message.hostPorts[i], writer.uint32(42).fork(), _depth + 1).ldelim();
                if (message.nameservers != null && message.nameservers.length)
                    for (let i = 0; i < message.nameservers.length; ++i)
                        writer.uint32(50).string(message.nameservers[i]);
                if (message.search != null && message.search.length)
                    for (let i = 0; i < message.search.length; ++i)
                        writer.uint32(58).string(message.search[i]);
                if (message.options != null && message.options.length)
                    for (let i = 0; i < message.options.length; ++i)
                        writer.uint32(66).string(message.options[i]);
                if (message.networks != null && message.networks.length)
                    for (let i = 0; i < message.networks.length; ++i)
                        $root.swarm.net.ConnectedNetwork.encode(message.networks[i], writer.uint32(74).fork(), _depth + 1).ldelim();
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            AttachReply.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.swarm.net.AttachReply();
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.netnsPath = value;
                            else
                                delete message.netnsPath;
                            continue;
                        }
                    case 2: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.address = value;
                            else
                                delete message.address;
                            continue;
                        }
                    case 3: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.gateway = value;
                            else
                                delete message.gateway;
                            continue;
                        }
                    case 4: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.mac = value;
                            else
                                delete message.mac;
                            continue;
                        }
                    case 5: {
                            if (wireType !== 2)
                                break;
                            if (!(message.hostPorts && message.hostPorts.length))
                                message.hostPorts = [];
                            message.hostPorts.push($root.swarm.net.HostPort.decode(reader, reader.size(), $undefined, _depth + 1));
                            continue;
                        }
                    case 6: {
                            if (wireType !== 2)
                                break;
                            if (!(message.nameservers && message.nameservers.length))
                                message.nameservers = [];
                            message.nameservers.push(reader.stringVerify());
                            continue;
                        }
                    case 7: {
                            if (wireType !== 2)
                                break;
                            if (!(message.search && message.search.length))
                                message.search = [];
                            message.search.push(reader.stringVerify());
                            continue;
                        }
                    case 8: {
                            if (wireType !== 2)
                                break;
                            if (!(message.options && message.options.length))
                                message.options = [];
                            message.options.push(reader.stringVerify());
                            continue;
                        }
                    case 9: {
                            if (wireType !== 2)
                                break;
                            if (!(message.networks && message.networks.length))
                                message.networks = [];
                            message.networks.push($root.swarm.net.ConnectedNetwork.decode(reader, reader.size(), $undefined, _depth + 1));
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            AttachReply.getTypeUrl = function(prefix) {
                if (prefix === $undefined)
                    prefix = "type.googleapis.com";
                return prefix + "/swarm.net.AttachReply";
            };

            return AttachReply;
        })();

        net.ConnectedNetwork = (function() {

            const ConnectedNetwork = function (properties) {
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            ConnectedNetwork.prototype.networkId = "";
            ConnectedNetwork.prototype.name = "";
            ConnectedNetwork.prototype.address = "";
            ConnectedNetwork.prototype.prefixLength = 0;
            ConnectedNetwork.prototype.gateway = "";
            ConnectedNetwork.prototype.address6 = "";
            ConnectedNetwork.prototype.prefixLength6 = 0;
            ConnectedNetwork.prototype.gateway6 = "";
            ConnectedNetwork.prototype.mac = "";

            ConnectedNetwork.create = function(properties) {
                return new ConnectedNetwork(properties);
            };

            ConnectedNetwork.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.networkId != null && $Object.hasOwnProperty.call(message, "networkId") && message.networkId !== "")
                    writer.uint32(10).string(message.networkId);
                if (message.name != null && $Object.hasOwnProperty.call(message, "name") && message.name !== "")
                    writer.uint32(18).string(message.name);
                if (message.address != null && $Object.hasOwnProperty.call(message, "address") && message.address !== "")
                    writer.uint32(26).string(message.address);
                if (message.prefixLength != null && $Object.hasOwnProperty.call(message, "prefixLength") && message.prefixLength !== 0)
                    writer.uint32(32).uint32(message.prefixLength);
                if (message.gateway != null && $Object.hasOwnProperty.call(message, "gateway") && message.gateway !== "")
                    writer.uint32(42).string(message.gateway);
                if (message.address6 != null && $Object.hasOwnProperty.call(message, "address6") && message.address6 !== "")
                    writer.uint32(50).string(message.address6);
                if (message.prefixLength6 != null && $Object.hasOwnProperty.call(message, "prefixLength6") && message.prefixLength6 !== 0)
                    writer.uint32(56).uint32(message.prefixLength6);
                if (message.gateway6 != null && $Object.hasOwnProperty.call(message, "gateway6") && message.gateway6 !== "")
                    writer.uint32(66).string(message.gateway6);
                if (message.mac != null && $Object.hasOwnProperty.call(message, "mac") && message.mac !== "")
                    writer.uint32(74).string(message.mac);
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            ConnectedNetwork.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.swarm.net.ConnectedNetwork();
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.networkId = value;
                            else
                                delete message.networkId;
                            continue;
                        }
                    case 2: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.name = value;
                            else
                                delete message.name;
                            continue;
                        }
                    case 3: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.address = value;
                            else
                                delete message.address;
                            continue;
                        }
                    case 4: {
                            if (wireType !== 0)
                                break;
                            if (value = reader.uint32())
                                message.prefixLength = value;
                            else
                                delete message.prefixLength;
                            continue;
                        }
                    case 5: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.gateway = value;
                            else
                                delete message.gateway;
                            continue;
                        }
                    case 6: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.address6 = value;
                            else
                                delete message.address6;
                            continue;
                        }
                    case 7: {
                            if (wireType !== 0)
                                break;
                            if (value = reader.uint32())
                                message.prefixLength6 = value;
                            else
                                delete message.prefixLength6;
                            continue;
                        }
                    case 8: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.gateway6 = value;
                            else
                                delete message.gateway6;
                            continue;
                        }
                    case 9: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.mac = value;
                            else
                                delete message.mac;
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            ConnectedNetwork.getTypeUrl = function(prefix) {
                if (prefix === $undefined)
                    prefix = "type.googleapis.com";
                return prefix + "/swarm.net.ConnectedNetwork";
            };

            return ConnectedNetwork;
        })();

        net.ConnectRequest = (function() {

            const ConnectRequest = function (properties) {
                this.dnsServers = [];
                this.dnsSearch = [];
                this.dnsOptions = [];
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            ConnectRequest.prototype.containerId = "";
            ConnectRequest.prototype.taskId = "";
            ConnectRequest.prototype.networkId = "";
            ConnectRequest.prototype.dnsServers = $util.emptyArray;
            ConnectRequest.prototype.dnsSearch = $util.emptyArray;
            ConnectRequest.prototype.dnsOptions = $util.emptyArray;

            ConnectRequest.create = function(properties) {
                return new ConnectRequest(properties);
            };

            ConnectRequest.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.containerId != null && $Object.hasOwnProperty.call(message, "containerId") && message.containerId !== "")
                    writer.uint32(10).string(message.containerId);
                if (message.taskId != null && $Object.hasOwnProperty.call(message, "taskId") && message.taskId !== "")
                    writer.uint32(18).string(message.taskId);
                if (message.networkId != null && $Object.hasOwnProperty.call(message, "networkId") && message.networkId !== "")
                    writer.uint32(26).string(message.networkId);
                if (message.dnsServers != null && message.dnsServers.length)
                    for (let i = 0; i < message.dnsServers.length; ++i)
                        writer.uint32(34).string(message.dnsServers[i]);
                if (message.dnsSearch != null && message.dnsSearch.length)
                    for (let i = 0; i < message.dnsSearch.length; ++i)
                        writer.uint32(42).string(message.dnsSearch[i]);
                if (message.dnsOptions != null && message.dnsOptions.length)
                    for (let i = 0; i < message.dnsOptions.length; ++i)
                        writer.uint32(50).string(message.dnsOptions[i]);
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            ConnectRequest.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.swarm.net.ConnectRequest();
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.containerId = value;
                            else
                                delete message.containerId;
                            continue;
                        }
                    case 2: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.taskId = value;
                            else
                                delete message.taskId;
                            continue;
                        }
                    case 3: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.networkId = value;
                            else
                                delete message.networkId;
                            continue;
                        }
                    case 4: {
                            if (wireType !== 2)
                                break;
                            if (!(message.dnsServers && message.dnsServers.length))
                                message.dnsServers = [];
                            message.dnsServers.push(reader.stringVerify());
                            continue;
                        }
                    case 5: {
                            if (wireType !== 2)
                                break;
                            if (!(message.dnsSearch && message.dnsSearch.length))
                                message.dnsSearch = [];
                            message.dnsSearch.push(reader.stringVerify());
                            continue;
                        }
                    case 6: {
                            if (wireType !== 2)
                                break;
                            if (!(message.dnsOptions && message.dnsOptions.length))
                                message.dnsOptions = [];
                            message.dnsOptions.push(reader.stringVerify());
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            ConnectRequest.getTypeUrl = function(prefix) {
                if (prefix === $undefined)
                    prefix = "type.googleapis.com";
                return prefix + "/swarm.net.ConnectRequest";
            };

            return ConnectRequest;
        })();

        net.ConnectReply = (function() {

            const ConnectReply = function (properties) {
                this.nameservers = [];
                this.search = [];
                this.options = [];
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            ConnectReply.prototype.network = null;
            ConnectReply.prototype.nameservers = $util.emptyArray;
            ConnectReply.prototype.search = $util.emptyArray;
            ConnectReply.prototype.options = $util.emptyArray;

            ConnectReply.create = function(properties) {
                return new ConnectReply(properties);
            };

            ConnectReply.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.network != null && $Object.hasOwnProperty.call(message, "network"))
                    $root.swarm.net.ConnectedNetwork.encode(message.network, writer.uint32(10).fork(), _depth + 1).ldelim();
                if (message.nameservers != null && message.nameservers.length)
                    for (let i = 0; i < message.nameservers.length; ++i)
                        writer.uint32(18).string(message.nameservers[i]);
                if (message.search != null && message.search.length)
                    for (let i = 0; i < message.search.length; ++i)
                        writer.uint32(26).string(message.search[i]);
                if (message.options != null && message.options.length)
                    for (let i = 0; i < message.options.length; ++i)
                        writer.uint32(34).string(message.options[i]);
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            ConnectReply.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.swarm.net.ConnectReply();
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 2)
                                break;
                            message.network = $root.swarm.net.ConnectedNetwork.decode(reader, reader.size(), $undefined, _depth + 1, message.network);
                            continue;
                        }
                    case 2: {
                            if (wireType !== 2)
                                break;
                            if (!(message.nameservers && message.nameservers.length))
                                message.nameservers = [];
                            message.nameservers.push(reader.stringVerify());
                            continue;
                        }
                    case 3: {
                            if (wireType !== 2)
                                break;
                            if (!(message.search && message.search.length))
                                message.search = [];
                            message.search.push(reader.stringVerify());
                            continue;
                        }
                    case 4: {
                            if (wireType !== 2)
                                break;
                            if (!(message.options && message.options.length))
                                message.options = [];
                            message.options.push(reader.stringVerify());
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            ConnectReply.getTypeUrl = function(prefix) {
                if (prefix === $undefined)
                    prefix = "type.googleapis.com";
                return prefix + "/swarm.net.ConnectReply";
            };

            return ConnectReply;
        })();

        net.DisconnectRequest = (function() {

            const DisconnectRequest = function (properties) {
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            DisconnectRequest.prototype.containerId = "";
            DisconnectRequest.prototype.taskId = "";

            DisconnectRequest.create = function(properties) {
                return new DisconnectRequest(properties);
            };

            DisconnectRequest.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.containerId != null && $Object.hasOwnProperty.call(message, "containerId") && message.containerId !== "")
                    writer.uint32(10).string(message.containerId);
                if (message.taskId != null && $Object.hasOwnProperty.call(message, "taskId") && message.taskId !== "")
                    writer.uint32(18).string(message.taskId);
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            DisconnectRequest.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.swarm.net.DisconnectRequest();
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.containerId = value;
                            else
                                delete message.containerId;
                            continue;
                        }
                    case 2: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.taskId = value;
                            else
                                delete message.taskId;
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            DisconnectRequest.getTypeUrl = function(prefix) {
                if (prefix === $undefined)
                    prefix = "type.googleapis.com";
                return prefix + "/swarm.net.DisconnectRequest";
            };

            return DisconnectRequest;
        })();

        net.DisconnectReply = (function() {

            const DisconnectReply = function (properties) {
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            DisconnectReply.create = function(properties) {
                return new DisconnectReply(properties);
            };

            DisconnectReply.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            DisconnectReply.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.swarm.net.DisconnectReply();
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    reader.skipType(tag & 7, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            DisconnectReply.getTypeUrl = function(prefix) {
                if (prefix === $undefined)
                    prefix = "type.googleapis.com";
                return prefix + "/swarm.net.DisconnectReply";
            };

            return DisconnectReply;
        })();

        net.ReleaseRequest = (function() {

            const ReleaseRequest = function (properties) {
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            ReleaseRequest.prototype.containerId = "";

            ReleaseRequest.create = function(properties) {
                return new ReleaseRequest(properties);
            };

            ReleaseRequest.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.containerId != null && $Object.hasOwnProperty.call(message, "containerId") && message.containerId !== "")
                    writer.uint32(10).string(message.containerId);
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            ReleaseRequest.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.swarm.net.ReleaseRequest();
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.containerId = value;
                            else
                                delete message.containerId;
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            ReleaseRequest.getTypeUrl = function(prefix) {
                if (prefix === $undefined)
                    prefix = "type.googleapis.com";
                return prefix + "/swarm.net.ReleaseRequest";
            };

            return ReleaseRequest;
        })();

        net.ReleaseReply = (function() {

            const ReleaseReply = function (properties) {
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            ReleaseReply.create = function(properties) {
                return new ReleaseReply(properties);
            };

            ReleaseReply.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            ReleaseReply.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.swarm.net.ReleaseReply();
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    reader.skipType(tag & 7, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            ReleaseReply.getTypeUrl = function(prefix) {
                if (prefix === $undefined)
                    prefix = "type.googleapis.com";
                return prefix + "/swarm.net.ReleaseReply";
            };

            return ReleaseReply;
        })();

        net.SyncRequest = (function() {

            const SyncRequest = function (properties) {
                this.containerIds = [];
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            SyncRequest.prototype.containerIds = $util.emptyArray;

            SyncRequest.create = function(properties) {
                return new SyncRequest(properties);
            };

            SyncRequest.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.containerIds != null && message.containerIds.length)
                    for (let i = 0; i < message.containerIds.length; ++i)
                        writer.uint32(10).string(message.containerIds[i]);
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            SyncRequest.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.swarm.net.SyncRequest();
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 2)
                                break;
                            if (!(message.containerIds && message.containerIds.length))
                                message.containerIds = [];
                            message.containerIds.push(reader.stringVerify());
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            SyncRequest.getTypeUrl = function(prefix) {
                if (prefix === $undefined)
                    prefix = "type.googleapis.com";
                return prefix + "/swarm.net.SyncRequest";
            };

            return SyncRequest;
        })();

        net.SyncReply = (function() {

            const SyncReply = function (properties) {
                this.released = [];
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            SyncReply.prototype.released = $util.emptyArray;

            SyncReply.create = function(properties) {
                return new SyncReply(properties);
            };

            SyncReply.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.released != null && message.released.length)
                    for (let i = 0; i < message.released.length; ++i)
                        writer.uint32(10).string(message.released[i]);
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            SyncReply.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.swarm.net.SyncReply();
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 2)
                                break;
                            if (!(message.released && message.released.length))
                                message.released = [];
                            message.released.push(reader.stringVerify());
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            SyncReply.getTypeUrl = function(prefix) {
                if (prefix === $undefined)
                    prefix = "type.googleapis.com";
                return prefix + "/swarm.net.SyncReply";
            };

            return SyncReply;
        })();

        net.StatusRequest = (function() {

            const StatusRequest = function (properties) {
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            StatusRequest.create = function(properties) {
                return new StatusRequest(properties);
            };

            StatusRequest.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            StatusRequest.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.swarm.net.StatusRequest();
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    reader.skipType(tag & 7, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            StatusRequest.getTypeUrl = function(prefix) {
                if (prefix === $undefined)
                    prefix = "type.googleapis.com";
                return prefix + "/swarm.net.StatusRequest";
            };

            return StatusRequest;
        })();

        net.StatusReply = (function() {

            const StatusReply = function (properties) {
                this.problems = [];
                this.attachments = [];
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            StatusReply.prototype.bridge = "";
            StatusReply.prototype.subnet = "";
            StatusReply.prototype.problems = $util.emptyArray;
            StatusReply.prototype.attachments = $util.emptyArray;
            StatusReply.prototype.plane = null;
            StatusReply.prototype.wireguard = "";

            StatusReply.create = function(properties) {
                return new StatusReply(properties);
            };

            StatusReply.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.bridge != null && $Object.hasOwnProperty.call(message, "bridge") && message.bridge !== "")
                    writer.uint32(10).string(message.bridge);
                if (message.subnet != null && $Object.hasOwnProperty.call(message, "subnet") && message.subnet !== "")
                    writer.uint32(18).string(message.subnet);
                if (message.problems != null && message.problems.length)
                    for (let i = 0; i < message.problems.length; ++i)
                        writer.uint32(26).string(message.problems[i]);
                if (message.attachments != null && message.attachments.length)
                    for (let i = 0; i < message.attachments.length; ++i)
                        $root.swarm.net.AttachReply.encode(message.attachments[i], writer.uint32(34).fork(), _depth + 1).ldelim();
                if (message.plane != null && $Object.hasOwnProperty.call(message, "plane"))
                    $root.swarm.net.PlaneStatus.encode(message.plane, writer.uint32(42).fork(), _depth + 1).ldelim();
                if (message.wireguard != null && $Object.hasOwnProperty.call(message, "wireguard") && message.wireguard !== "")
                    writer.uint32(50).string(message.wireguard);
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            StatusReply.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.swarm.net.StatusReply();
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.bridge = value;
                            else
                                delete message.bridge;
                            continue;
                        }
                    case 2: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.subnet = value;
                            else
                                delete message.subnet;
                            continue;
                        }
                    case 3: {
                            if (wireType !== 2)
                                break;
                            if (!(message.problems && message.problems.length))
                                message.problems = [];
                            message.problems.push(reader.stringVerify());
                            continue;
                        }
                    case 4: {
                            if (wireType !== 2)
                                break;
                            if (!(message.attachments && message.attachments.length))
                                message.attachments = [];
                            message.attachments.push($root.swarm.net.AttachReply.decode(reader, reader.size(), $undefined, _depth + 1));
                            continue;
                        }
                    case 5: {
                            if (wireType !== 2)
                                break;
                            message.plane = $root.swarm.net.PlaneStatus.decode(reader, reader.size(), $undefined, _depth + 1, message.plane);
                            continue;
                        }
                    case 6: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.wireguard = value;
                            else
                                delete message.wireguard;
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            StatusReply.getTypeUrl = function(prefix) {
                if (prefix === $undefined)
                    prefix = "type.googleapis.com";
                return prefix + "/swarm.net.StatusReply";
            };

            return StatusReply;
        })();

        net.PlaneStatus = (function() {

            const PlaneStatus = function (properties) {
                this.proxied = [];
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            PlaneStatus.prototype.kernel = "";
            PlaneStatus.prototype.networksIndex = $util.Long ? $util.Long.fromBits(0,0,true) : 0;
            PlaneStatus.prototype.appliedIndex = $util.Long ? $util.Long.fromBits(0,0,true) : 0;
            PlaneStatus.prototype.checks = $util.Long ? $util.Long.fromBits(0,0,true) : 0;
            PlaneStatus.prototype.drifts = $util.Long ? $util.Long.fromBits(0,0,true) : 0;
            PlaneStatus.prototype.rounds = $util.Long ? $util.Long.fromBits(0,0,true) : 0;
            PlaneStatus.prototype.failures = $util.Long ? $util.Long.fromBits(0,0,true) : 0;
            PlaneStatus.prototype.tunnel = null;
            PlaneStatus.prototype.proxied = $util.emptyArray;

            PlaneStatus.create = function(properties) {
                return new PlaneStatus(properties);
            };

            PlaneStatus.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.kernel != null && $Object.hasOwnProperty.call(message, "kernel") && message.kernel !== "")
                    writer.uint32(10).string(message.kernel);
                if (message.networksIndex != null && $Object.hasOwnProperty.call(message, "networksIndex") && (typeof message.networksIndex === "object" ? message.networksIndex.low || message.networksIndex.high : message.networksIndex !== 0))
                    writer.uint32(16).uint64(message.networksIndex);
                if (message.appliedIndex != null && $Object.hasOwnProperty.call(message, "appliedIndex") && (typeof message.appliedIndex === "object" ? message.appliedIndex.low || message.appliedIndex.high : message.appliedIndex !== 0))
                    writer.uint32(24).uint64(message.appliedIndex);
                if (message.checks != null && $Object.hasOwnProperty.call(message, "checks") && (typeof message.checks === "object" ? message.checks.low || message.checks.high : message.checks !== 0))
                    writer.uint32(32).uint64(message.checks);
                if (message.drifts != null && $Object.hasOwnProperty.call(message, "drifts") && (typeof message.drifts === "object" ? message.drifts.low || message.drifts.high : message.drifts !== 0))
                    writer.uint32(40).uint64(message.drifts);
                if (message.rounds != null && $Object.hasOwnProperty.call(message, "rounds") && (typeof message.rounds === "object" ? message.rounds.low || message.rounds.high : message.rounds !== 0))
                    writer.uint32(48).uint64(message.rounds);
                if (message.failures != null && $Object.hasOwnProperty.call(message, "failures") && (typeof message.failures === "object" ? message.failures.low || message.failures.high : message.failures !== 0))
                    writer.uint32(56).uint64(message.failures);
                if (message.tunnel != null && $Object.hasOwnProperty.call(message, "tunnel"))
                    $root.swarm.net.Tunnel.encode(message.tunnel, writer.uint32(66).fork(), _depth + 1).ldelim();
                if (message.proxied != null && message.proxied.length)
                    for (let i = 0; i < message.proxied.length; ++i)
                        $root.swarm.net.ProxiedPort.encode(message.proxied[i], writer.uint32(74).fork(), _depth + 1).ldelim();
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            PlaneStatus.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.swarm.net.PlaneStatus();
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.kernel = value;
                            else
                                delete message.kernel;
                            continue;
                        }
                    case 2: {
                            if (wireType !== 0)
                                break;
                            if (typeof (value = reader.uint64()) === "object" ? value.low || value.high : value !== 0)
                                message.networksIndex = value;
                            else
                                delete message.networksIndex;
                            continue;
                        }
                    case 3: {
                            if (wireType !== 0)
                                break;
                            if (typeof (value = reader.uint64()) === "object" ? value.low || value.high : value !== 0)
                                message.appliedIndex = value;
                            else
                                delete message.appliedIndex;
                            continue;
                        }
                    case 4: {
                            if (wireType !== 0)
                                break;
                            if (typeof (value = reader.uint64()) === "object" ? value.low || value.high : value !== 0)
                                message.checks = value;
                            else
                                delete message.checks;
                            continue;
                        }
                    case 5: {
                            if (wireType !== 0)
                                break;
                            if (typeof (value = reader.uint64()) === "object" ? value.low || value.high : value !== 0)
                                message.drifts = value;
                            else
                                delete message.drifts;
                            continue;
                        }
                    case 6: {
                            if (wireType !== 0)
                                break;
                            if (typeof (value = reader.uint64()) === "object" ? value.low || value.high : value !== 0)
                                message.rounds = value;
                            else
                                delete message.rounds;
                            continue;
                        }
                    case 7: {
                            if (wireType !== 0)
                                break;
                            if (typeof (value = reader.uint64()) === "object" ? value.low || value.high : value !== 0)
                                message.failures = value;
                            else
                                delete message.failures;
                            continue;
                        }
                    case 8: {
                            if (wireType !== 2)
                                break;
                            message.tunnel = $root.swarm.net.Tunnel.decode(reader, reader.size(), $undefined, _depth + 1, message.tunnel);
                            continue;
                        }
                    case 9: {
                            if (wireType !== 2)
                                break;
                            if (!(message.proxied && message.proxied.length))
                                message.proxied = [];
                            message.proxied.push($root.swarm.net.ProxiedPort.decode(reader, reader.size(), $undefined, _depth + 1));
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            PlaneStatus.getTypeUrl = function(prefix) {
                if (prefix === $undefined)
                    prefix = "type.googleapis.com";
                return prefix + "/swarm.net.PlaneStatus";
            };

            return PlaneStatus;
        })();

        return net;
    })();

    swarm.tunnel = (function() {

        const tunnel = {};

        tunnel.TunnelFrame = (function() {

            const TunnelFrame = function (properties) {
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            TunnelFrame.prototype.tunnelId = "";
            TunnelFrame.prototype.data = $util.newBuffer([]);
            TunnelFrame.prototype.end = false;

            TunnelFrame.create = function(properties) {
                return new TunnelFrame(properties);
            };

            TunnelFrame.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.tunnelId != null && $Object.hasOwnProperty.call(message, "tunnelId") && message.tunnelId !== "")
                    writer.uint32(10).string(message.tunnelId);
                if (message.data != null && $Object.hasOwnProperty.call(message, "data") && message.data.length)
                    writer.uint32(18).bytes(message.data);
                if (message.end != null && $Object.hasOwnProperty.call(message, "end") && message.end !== false)
                    writer.uint32(24).bool(message.end);
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            TunnelFrame.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.swarm.tunnel.TunnelFrame();
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.tunnelId = value;
                            else
                                delete message.tunnelId;
                            continue;
                        }
                    case 2: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.bytes()).length)
                                message.data = value;
                            else
                                delete message.data;
                            continue;
                        }
                    case 3: {
                            if (wireType !== 0)
                                break;
                            if (value = reader.bool())
                                message.end = value;
                            else
                                delete message.end;
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            TunnelFrame.getTypeUrl = function(prefix) {
                if (prefix === $undefined)
                    prefix = "type.googleapis.com";
                return prefix + "/swarm.tunnel.TunnelFrame";
            };

            return TunnelFrame;
        })();

        return tunnel;
    })();

    return swarm;
})();

export {
  $root as default
};
