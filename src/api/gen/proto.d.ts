// Generated from the .proto files by scripts/gen-proto.mjs. Never edited.
import * as $protobuf from "protobufjs";

export namespace swarm {

    namespace ca {

        interface IGetRootRequest extends swarm.ca.GetRootRequest.$Properties {
        }

        class GetRootRequest {
            constructor(properties?: swarm.ca.GetRootRequest.$Properties);
            $unknowns?: Uint8Array[];
            static create(properties: swarm.ca.GetRootRequest.$Shape): swarm.ca.GetRootRequest & swarm.ca.GetRootRequest.$Shape;
            static create(properties?: swarm.ca.GetRootRequest.$Properties): swarm.ca.GetRootRequest;
            static encode(message: swarm.ca.GetRootRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): swarm.ca.GetRootRequest & swarm.ca.GetRootRequest.$Shape;
            static getTypeUrl(prefix?: string): string;
        }

        namespace GetRootRequest {
            interface $Properties {
                $unknowns?: Uint8Array[];
            }
            type $Shape = swarm.ca.GetRootRequest.$Properties;
        }

        interface IGetRootReply extends swarm.ca.GetRootReply.$Properties {
        }

        class GetRootReply {
            constructor(properties?: swarm.ca.GetRootReply.$Properties);
            $unknowns?: Uint8Array[];
            rootBundlePem: string;
            static create(properties: swarm.ca.GetRootReply.$Shape): swarm.ca.GetRootReply & swarm.ca.GetRootReply.$Shape;
            static create(properties?: swarm.ca.GetRootReply.$Properties): swarm.ca.GetRootReply;
            static encode(message: swarm.ca.GetRootReply.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): swarm.ca.GetRootReply & swarm.ca.GetRootReply.$Shape;
            static getTypeUrl(prefix?: string): string;
        }

        namespace GetRootReply {
            interface $Properties {
                rootBundlePem?: (string|null);
                $unknowns?: Uint8Array[];
            }
            type $Shape = swarm.ca.GetRootReply.$Properties;
        }

        interface IIssueRequest extends swarm.ca.IssueRequest.$Properties {
        }

        class IssueRequest {
            constructor(properties?: swarm.ca.IssueRequest.$Properties);
            $unknowns?: Uint8Array[];
            csrPem: string;
            token: string;
            availability: string;
            static create(properties: swarm.ca.IssueRequest.$Shape): swarm.ca.IssueRequest & swarm.ca.IssueRequest.$Shape;
            static create(properties?: swarm.ca.IssueRequest.$Properties): swarm.ca.IssueRequest;
            static encode(message: swarm.ca.IssueRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): swarm.ca.IssueRequest & swarm.ca.IssueRequest.$Shape;
            static getTypeUrl(prefix?: string): string;
        }

        namespace IssueRequest {
            interface $Properties {
                csrPem?: (string|null);
                token?: (string|null);
                availability?: (string|null);
                $unknowns?: Uint8Array[];
            }
            type $Shape = swarm.ca.IssueRequest.$Properties;
        }

        interface IIssueReply extends swarm.ca.IssueReply.$Properties {
        }

        class IssueReply {
            constructor(properties?: swarm.ca.IssueReply.$Properties);
            $unknowns?: Uint8Array[];
            nodeId: string;
            clusterId: string;
            role: string;
            certificatePem: string;
            rootBundlePem: string;
            managerAddrs: string[];
            static create(properties: swarm.ca.IssueReply.$Shape): swarm.ca.IssueReply & swarm.ca.IssueReply.$Shape;
            static create(properties?: swarm.ca.IssueReply.$Properties): swarm.ca.IssueReply;
            static encode(message: swarm.ca.IssueReply.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): swarm.ca.IssueReply & swarm.ca.IssueReply.$Shape;
            static getTypeUrl(prefix?: string): string;
        }

        namespace IssueReply {
            interface $Properties {
                nodeId?: (string|null);
                clusterId?: (string|null);
                role?: (string|null);
                certificatePem?: (string|null);
                rootBundlePem?: (string|null);
                managerAddrs?: (string[]|null);
                $unknowns?: Uint8Array[];
            }
            type $Shape = swarm.ca.IssueReply.$Properties;
        }
    }

    namespace control {

        interface ISubmitRequest extends swarm.control.SubmitRequest.$Properties {
        }

        class SubmitRequest {
            constructor(properties?: swarm.control.SubmitRequest.$Properties);
            $unknowns?: Uint8Array[];
            requestId: string;
            operationJson: Uint8Array;
            timeoutMs: number;
            forwardedBy: string;
            door?: (string|null);
            actor?: (string|null);
            static create(properties: swarm.control.SubmitRequest.$Shape): swarm.control.SubmitRequest & swarm.control.SubmitRequest.$Shape;
            static create(properties?: swarm.control.SubmitRequest.$Properties): swarm.control.SubmitRequest;
            static encode(message: swarm.control.SubmitRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): swarm.control.SubmitRequest & swarm.control.SubmitRequest.$Shape;
            static getTypeUrl(prefix?: string): string;
        }

        namespace SubmitRequest {
            interface $Properties {
                requestId?: (string|null);
                operationJson?: (Uint8Array|null);
                timeoutMs?: (number|null);
                forwardedBy?: (string|null);
                door?: (string|null);
                actor?: (string|null);
                $unknowns?: Uint8Array[];
            }
            type $Shape = swarm.control.SubmitRequest.$Properties;
        }

        interface ISubmitError extends swarm.control.SubmitError.$Properties {
        }

        class SubmitError {
            constructor(properties?: swarm.control.SubmitError.$Properties);
            $unknowns?: Uint8Array[];
            code: string;
            message: string;
            http: number;
            origin: string;
            static create(properties: swarm.control.SubmitError.$Shape): swarm.control.SubmitError & swarm.control.SubmitError.$Shape;
            static create(properties?: swarm.control.SubmitError.$Properties): swarm.control.SubmitError;
            static encode(message: swarm.control.SubmitError.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): swarm.control.SubmitError & swarm.control.SubmitError.$Shape;
            static getTypeUrl(prefix?: string): string;
        }

        namespace SubmitError {
            interface $Properties {
                code?: (string|null);
                message?: (string|null);
                http?: (number|null);
                origin?: (string|null);
                $unknowns?: Uint8Array[];
            }
            type $Shape = swarm.control.SubmitError.$Properties;
        }

        interface INotLeader extends swarm.control.NotLeader.$Properties {
        }

        class NotLeader {
            constructor(properties?: swarm.control.NotLeader.$Properties);
            $unknowns?: Uint8Array[];
            leaderAddr: string;
            static create(properties: swarm.control.NotLeader.$Shape): swarm.control.NotLeader & swarm.control.NotLeader.$Shape;
            static create(properties?: swarm.control.NotLeader.$Properties): swarm.control.NotLeader;
            static encode(message: swarm.control.NotLeader.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): swarm.control.NotLeader & swarm.control.NotLeader.$Shape;
            static getTypeUrl(prefix?: string): string;
        }

        namespace NotLeader {
            interface $Properties {
                leaderAddr?: (string|null);
                $unknowns?: Uint8Array[];
            }
            type $Shape = swarm.control.NotLeader.$Properties;
        }

        interface ISubmitReply extends swarm.control.SubmitReply.$Properties {
        }

        class SubmitReply {
            constructor(properties?: swarm.control.SubmitReply.$Properties);
            $unknowns?: Uint8Array[];
            resultJson?: (Uint8Array|null);
            error?: (swarm.control.SubmitError.$Properties|null);
            notLeader?: (swarm.control.NotLeader.$Properties|null);
            index: number;
            outcome?: ("resultJson"|"error"|"notLeader");
            static create(properties: swarm.control.SubmitReply.$Shape): swarm.control.SubmitReply & swarm.control.SubmitReply.$Shape;
            static create(properties?: swarm.control.SubmitReply.$Properties): swarm.control.SubmitReply;
            static encode(message: swarm.control.SubmitReply.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): swarm.control.SubmitReply & swarm.control.SubmitReply.$Shape;
            static getTypeUrl(prefix?: string): string;
        }

        namespace SubmitReply {
            interface $Properties {
                resultJson?: (Uint8Array|null);
                error?: (swarm.control.SubmitError.$Properties|null);
                notLeader?: (swarm.control.NotLeader.$Properties|null);
                index?: (number|null);
                outcome?: ("resultJson"|"error"|"notLeader");
                $unknowns?: Uint8Array[];
            }
            type $Shape = {
              resultJson?: Uint8Array|null;
              error?: swarm.control.SubmitError.$Shape|null;
              notLeader?: swarm.control.NotLeader.$Shape|null;
              index?: number|null;
              $unknowns?: Uint8Array[];
            } & (
              ({ outcome?: undefined; resultJson?: null; error?: null; notLeader?: null }|{ outcome?: "resultJson"; resultJson: Uint8Array; error?: null; notLeader?: null }|{ outcome?: "error"; resultJson?: null; error: swarm.control.SubmitError.$Shape; notLeader?: null }|{ outcome?: "notLeader"; resultJson?: null; error?: null; notLeader: swarm.control.NotLeader.$Shape })
            );
        }

        interface ITunnelRequest extends swarm.control.TunnelRequest.$Properties {
        }

        class TunnelRequest {
            constructor(properties?: swarm.control.TunnelRequest.$Properties);
            $unknowns?: Uint8Array[];
            nodeId: string;
            tunnelId: string;
            managerAddr: string;
            static create(properties: swarm.control.TunnelRequest.$Shape): swarm.control.TunnelRequest & swarm.control.TunnelRequest.$Shape;
            static create(properties?: swarm.control.TunnelRequest.$Properties): swarm.control.TunnelRequest;
            static encode(message: swarm.control.TunnelRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): swarm.control.TunnelRequest & swarm.control.TunnelRequest.$Shape;
            static getTypeUrl(prefix?: string): string;
        }

        namespace TunnelRequest {
            interface $Properties {
                nodeId?: (string|null);
                tunnelId?: (string|null);
                managerAddr?: (string|null);
                $unknowns?: Uint8Array[];
            }
            type $Shape = swarm.control.TunnelRequest.$Properties;
        }

        interface ITunnelReply extends swarm.control.TunnelReply.$Properties {
        }

        class TunnelReply {
            constructor(properties?: swarm.control.TunnelReply.$Properties);
            $unknowns?: Uint8Array[];
            error: string;
            leaderAddr: string;
            static create(properties: swarm.control.TunnelReply.$Shape): swarm.control.TunnelReply & swarm.control.TunnelReply.$Shape;
            static create(properties?: swarm.control.TunnelReply.$Properties): swarm.control.TunnelReply;
            static encode(message: swarm.control.TunnelReply.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): swarm.control.TunnelReply & swarm.control.TunnelReply.$Shape;
            static getTypeUrl(prefix?: string): string;
        }

        namespace TunnelReply {
            interface $Properties {
                error?: (string|null);
                leaderAddr?: (string|null);
                $unknowns?: Uint8Array[];
            }
            type $Shape = swarm.control.TunnelReply.$Properties;
        }

        interface INodeUsagesRequest extends swarm.control.NodeUsagesRequest.$Properties {
        }

        class NodeUsagesRequest {
            constructor(properties?: swarm.control.NodeUsagesRequest.$Properties);
            $unknowns?: Uint8Array[];
            static create(properties: swarm.control.NodeUsagesRequest.$Shape): swarm.control.NodeUsagesRequest & swarm.control.NodeUsagesRequest.$Shape;
            static create(properties?: swarm.control.NodeUsagesRequest.$Properties): swarm.control.NodeUsagesRequest;
            static encode(message: swarm.control.NodeUsagesRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): swarm.control.NodeUsagesRequest & swarm.control.NodeUsagesRequest.$Shape;
            static getTypeUrl(prefix?: string): string;
        }

        namespace NodeUsagesRequest {
            interface $Properties {
                $unknowns?: Uint8Array[];
            }
            type $Shape = swarm.control.NodeUsagesRequest.$Properties;
        }

        interface INodeUsage extends swarm.control.NodeUsage.$Properties {
        }

        class NodeUsage {
            constructor(properties?: swarm.control.NodeUsage.$Properties);
            $unknowns?: Uint8Array[];
            nodeId: string;
            cpuNano: number;
            memBytes: number;
            atMs: number;
            static create(properties: swarm.control.NodeUsage.$Shape): swarm.control.NodeUsage & swarm.control.NodeUsage.$Shape;
            static create(properties?: swarm.control.NodeUsage.$Properties): swarm.control.NodeUsage;
            static encode(message: swarm.control.NodeUsage.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): swarm.control.NodeUsage & swarm.control.NodeUsage.$Shape;
            static getTypeUrl(prefix?: string): string;
        }

        namespace NodeUsage {
            interface $Properties {
                nodeId?: (string|null);
                cpuNano?: (number|null);
                memBytes?: (number|null);
                atMs?: (number|null);
                $unknowns?: Uint8Array[];
            }
            type $Shape = swarm.control.NodeUsage.$Properties;
        }

        interface INodeUsagesReply extends swarm.control.NodeUsagesReply.$Properties {
        }

        class NodeUsagesReply {
            constructor(properties?: swarm.control.NodeUsagesReply.$Properties);
            $unknowns?: Uint8Array[];
            nodes: swarm.control.NodeUsage.$Properties[];
            static create(properties: swarm.control.NodeUsagesReply.$Shape): swarm.control.NodeUsagesReply & swarm.control.NodeUsagesReply.$Shape;
            static create(properties?: swarm.control.NodeUsagesReply.$Properties): swarm.control.NodeUsagesReply;
            static encode(message: swarm.control.NodeUsagesReply.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): swarm.control.NodeUsagesReply & swarm.control.NodeUsagesReply.$Shape;
            static getTypeUrl(prefix?: string): string;
        }

        namespace NodeUsagesReply {
            interface $Properties {
                nodes?: (swarm.control.NodeUsage.$Properties[]|null);
                $unknowns?: Uint8Array[];
            }
            type $Shape = swarm.control.NodeUsagesReply.$Properties;
        }

        interface IReadJournalRequest extends swarm.control.ReadJournalRequest.$Properties {
        }

        class ReadJournalRequest {
            constructor(properties?: swarm.control.ReadJournalRequest.$Properties);
            $unknowns?: Uint8Array[];
            queryJson: Uint8Array;
            static create(properties: swarm.control.ReadJournalRequest.$Shape): swarm.control.ReadJournalRequest & swarm.control.ReadJournalRequest.$Shape;
            static create(properties?: swarm.control.ReadJournalRequest.$Properties): swarm.control.ReadJournalRequest;
            static encode(message: swarm.control.ReadJournalRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): swarm.control.ReadJournalRequest & swarm.control.ReadJournalRequest.$Shape;
            static getTypeUrl(prefix?: string): string;
        }

        namespace ReadJournalRequest {
            interface $Properties {
                queryJson?: (Uint8Array|null);
                $unknowns?: Uint8Array[];
            }
            type $Shape = swarm.control.ReadJournalRequest.$Properties;
        }

        interface IReadJournalReply extends swarm.control.ReadJournalReply.$Properties {
        }

        class ReadJournalReply {
            constructor(properties?: swarm.control.ReadJournalReply.$Properties);
            $unknowns?: Uint8Array[];
            entries: Uint8Array;
            isEnd: boolean;
            static create(properties: swarm.control.ReadJournalReply.$Shape): swarm.control.ReadJournalReply & swarm.control.ReadJournalReply.$Shape;
            static create(properties?: swarm.control.ReadJournalReply.$Properties): swarm.control.ReadJournalReply;
            static encode(message: swarm.control.ReadJournalReply.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): swarm.control.ReadJournalReply & swarm.control.ReadJournalReply.$Shape;
            static getTypeUrl(prefix?: string): string;
        }

        namespace ReadJournalReply {
            interface $Properties {
                entries?: (Uint8Array|null);
                isEnd?: (boolean|null);
                $unknowns?: Uint8Array[];
            }
            type $Shape = swarm.control.ReadJournalReply.$Properties;
        }

        interface IRaftFrame extends swarm.control.RaftFrame.$Properties {
        }

        class RaftFrame {
            constructor(properties?: swarm.control.RaftFrame.$Properties);
            $unknowns?: Uint8Array[];
            fromMember: string;
            toMember: string;
            messages: Uint8Array[];
            static create(properties: swarm.control.RaftFrame.$Shape): swarm.control.RaftFrame & swarm.control.RaftFrame.$Shape;
            static create(properties?: swarm.control.RaftFrame.$Properties): swarm.control.RaftFrame;
            static encode(message: swarm.control.RaftFrame.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): swarm.control.RaftFrame & swarm.control.RaftFrame.$Shape;
            static getTypeUrl(prefix?: string): string;
        }

        namespace RaftFrame {
            interface $Properties {
                fromMember?: (string|null);
                toMember?: (string|null);
                messages?: (Uint8Array[]|null);
                $unknowns?: Uint8Array[];
            }
            type $Shape = swarm.control.RaftFrame.$Properties;
        }

        interface IRaftStreamEnd extends swarm.control.RaftStreamEnd.$Properties {
        }

        class RaftStreamEnd {
            constructor(properties?: swarm.control.RaftStreamEnd.$Properties);
            $unknowns?: Uint8Array[];
            static create(properties: swarm.control.RaftStreamEnd.$Shape): swarm.control.RaftStreamEnd & swarm.control.RaftStreamEnd.$Shape;
            static create(properties?: swarm.control.RaftStreamEnd.$Properties): swarm.control.RaftStreamEnd;
            static encode(message: swarm.control.RaftStreamEnd.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): swarm.control.RaftStreamEnd & swarm.control.RaftStreamEnd.$Shape;
            static getTypeUrl(prefix?: string): string;
        }

        namespace RaftStreamEnd {
            interface $Properties {
                $unknowns?: Uint8Array[];
            }
            type $Shape = swarm.control.RaftStreamEnd.$Properties;
        }
    }

    namespace dispatcher {

        interface IConnectRequest extends swarm.dispatcher.ConnectRequest.$Properties {
        }

        class ConnectRequest {
            constructor(properties?: swarm.dispatcher.ConnectRequest.$Properties);
            $unknowns?: Uint8Array[];
            taskId: string;
            containerTaskId: string;
            containerId: string;
            containerName: string;
            network: string;
            aliases: string[];
            addresses: string[];
            static create(properties: swarm.dispatcher.ConnectRequest.$Shape): swarm.dispatcher.ConnectRequest & swarm.dispatcher.ConnectRequest.$Shape;
            static create(properties?: swarm.dispatcher.ConnectRequest.$Properties): swarm.dispatcher.ConnectRequest;
            static encode(message: swarm.dispatcher.ConnectRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): swarm.dispatcher.ConnectRequest & swarm.dispatcher.ConnectRequest.$Shape;
            static getTypeUrl(prefix?: string): string;
        }

        namespace ConnectRequest {
            interface $Properties {
                taskId?: (string|null);
                containerTaskId?: (string|null);
                containerId?: (string|null);
                containerName?: (string|null);
                network?: (string|null);
                aliases?: (string[]|null);
                addresses?: (string[]|null);
                $unknowns?: Uint8Array[];
            }
            type $Shape = swarm.dispatcher.ConnectRequest.$Properties;
        }

        interface IDisconnectRequest extends swarm.dispatcher.DisconnectRequest.$Properties {
        }

        class DisconnectRequest {
            constructor(properties?: swarm.dispatcher.DisconnectRequest.$Properties);
            $unknowns?: Uint8Array[];
            container: string;
            network: string;
            requestId: string;
            static create(properties: swarm.dispatcher.DisconnectRequest.$Shape): swarm.dispatcher.DisconnectRequest & swarm.dispatcher.DisconnectRequest.$Shape;
            static create(properties?: swarm.dispatcher.DisconnectRequest.$Properties): swarm.dispatcher.DisconnectRequest;
            static encode(message: swarm.dispatcher.DisconnectRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): swarm.dispatcher.DisconnectRequest & swarm.dispatcher.DisconnectRequest.$Shape;
            static getTypeUrl(prefix?: string): string;
        }

        namespace DisconnectRequest {
            interface $Properties {
                container?: (string|null);
                network?: (string|null);
                requestId?: (string|null);
                $unknowns?: Uint8Array[];
            }
            type $Shape = swarm.dispatcher.DisconnectRequest.$Properties;
        }

        interface IConnectionError extends swarm.dispatcher.ConnectionError.$Properties {
        }

        class ConnectionError {
            constructor(properties?: swarm.dispatcher.ConnectionError.$Properties);
            $unknowns?: Uint8Array[];
            code: string;
            message: string;
            http: number;
            origin: string;
            static create(properties: swarm.dispatcher.ConnectionError.$Shape): swarm.dispatcher.ConnectionError & swarm.dispatcher.ConnectionError.$Shape;
            static create(properties?: swarm.dispatcher.ConnectionError.$Properties): swarm.dispatcher.ConnectionError;
            static encode(message: swarm.dispatcher.ConnectionError.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): swarm.dispatcher.ConnectionError & swarm.dispatcher.ConnectionError.$Shape;
            static getTypeUrl(prefix?: string): string;
        }

        namespace ConnectionError {
            interface $Properties {
                code?: (string|null);
                message?: (string|null);
                http?: (number|null);
                origin?: (string|null);
                $unknowns?: Uint8Array[];
            }
            type $Shape = swarm.dispatcher.ConnectionError.$Properties;
        }

        interface IConnectionReply extends swarm.dispatcher.ConnectionReply.$Properties {
        }

        class ConnectionReply {
            constructor(properties?: swarm.dispatcher.ConnectionReply.$Properties);
            $unknowns?: Uint8Array[];
            taskIds: string[];
            error?: (swarm.dispatcher.ConnectionError.$Properties|null);
            static create(properties: swarm.dispatcher.ConnectionReply.$Shape): swarm.dispatcher.ConnectionReply & swarm.dispatcher.ConnectionReply.$Shape;
            static create(properties?: swarm.dispatcher.ConnectionReply.$Properties): swarm.dispatcher.ConnectionReply;
            static encode(message: swarm.dispatcher.ConnectionReply.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): swarm.dispatcher.ConnectionReply & swarm.dispatcher.ConnectionReply.$Shape;
            static getTypeUrl(prefix?: string): string;
        }

        namespace ConnectionReply {
            interface $Properties {
                taskIds?: (string[]|null);
                error?: (swarm.dispatcher.ConnectionError.$Properties|null);
                $unknowns?: Uint8Array[];
            }
            type $Shape = swarm.dispatcher.ConnectionReply.$Properties;
        }

        interface IHello extends swarm.dispatcher.Hello.$Properties {
        }

        class Hello {
            constructor(properties?: swarm.dispatcher.Hello.$Properties);
            $unknowns?: Uint8Array[];
            descriptionJson: Uint8Array;
            bootId: string;
            assignmentsIndex: number;
            advertiseAddr: string;
            static create(properties: swarm.dispatcher.Hello.$Shape): swarm.dispatcher.Hello & swarm.dispatcher.Hello.$Shape;
            static create(properties?: swarm.dispatcher.Hello.$Properties): swarm.dispatcher.Hello;
            static encode(message: swarm.dispatcher.Hello.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): swarm.dispatcher.Hello & swarm.dispatcher.Hello.$Shape;
            static getTypeUrl(prefix?: string): string;
        }

        namespace Hello {
            interface $Properties {
                descriptionJson?: (Uint8Array|null);
                bootId?: (string|null);
                assignmentsIndex?: (number|null);
                advertiseAddr?: (string|null);
                $unknowns?: Uint8Array[];
            }
            type $Shape = swarm.dispatcher.Hello.$Properties;
        }

        interface INodeUsage extends swarm.dispatcher.NodeUsage.$Properties {
        }

        class NodeUsage {
            constructor(properties?: swarm.dispatcher.NodeUsage.$Properties);
            $unknowns?: Uint8Array[];
            cpuNano: number;
            memBytes: number;
            static create(properties: swarm.dispatcher.NodeUsage.$Shape): swarm.dispatcher.NodeUsage & swarm.dispatcher.NodeUsage.$Shape;
            static create(properties?: swarm.dispatcher.NodeUsage.$Properties): swarm.dispatcher.NodeUsage;
            static encode(message: swarm.dispatcher.NodeUsage.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): swarm.dispatcher.NodeUsage & swarm.dispatcher.NodeUsage.$Shape;
            static getTypeUrl(prefix?: string): string;
        }

        namespace NodeUsage {
            interface $Properties {
                cpuNano?: (number|null);
                memBytes?: (number|null);
                $unknowns?: Uint8Array[];
            }
            type $Shape = swarm.dispatcher.NodeUsage.$Properties;
        }

        interface IHeartbeat extends swarm.dispatcher.Heartbeat.$Properties {
        }

        class Heartbeat {
            constructor(properties?: swarm.dispatcher.Heartbeat.$Properties);
            $unknowns?: Uint8Array[];
            seq: number;
            usage?: (swarm.dispatcher.NodeUsage.$Properties|null);
            static create(properties: swarm.dispatcher.Heartbeat.$Shape): swarm.dispatcher.Heartbeat & swarm.dispatcher.Heartbeat.$Shape;
            static create(properties?: swarm.dispatcher.Heartbeat.$Properties): swarm.dispatcher.Heartbeat;
            static encode(message: swarm.dispatcher.Heartbeat.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): swarm.dispatcher.Heartbeat & swarm.dispatcher.Heartbeat.$Shape;
            static getTypeUrl(prefix?: string): string;
        }

        namespace Heartbeat {
            interface $Properties {
                seq?: (number|null);
                usage?: (swarm.dispatcher.NodeUsage.$Properties|null);
                $unknowns?: Uint8Array[];
            }
            type $Shape = swarm.dispatcher.Heartbeat.$Properties;
        }

        interface IStatusBatch extends swarm.dispatcher.StatusBatch.$Properties {
        }

        class StatusBatch {
            constructor(properties?: swarm.dispatcher.StatusBatch.$Properties);
            $unknowns?: Uint8Array[];
            seq: number;
            statuses: swarm.objects.TaskStatus.$Properties[];
            static create(properties: swarm.dispatcher.StatusBatch.$Shape): swarm.dispatcher.StatusBatch & swarm.dispatcher.StatusBatch.$Shape;
            static create(properties?: swarm.dispatcher.StatusBatch.$Properties): swarm.dispatcher.StatusBatch;
            static encode(message: swarm.dispatcher.StatusBatch.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): swarm.dispatcher.StatusBatch & swarm.dispatcher.StatusBatch.$Shape;
            static getTypeUrl(prefix?: string): string;
        }

        namespace StatusBatch {
            interface $Properties {
                seq?: (number|null);
                statuses?: (swarm.objects.TaskStatus.$Properties[]|null);
                $unknowns?: Uint8Array[];
            }
            type $Shape = swarm.dispatcher.StatusBatch.$Properties;
        }

        interface IDescription extends swarm.dispatcher.Description.$Properties {
        }

        class Description {
            constructor(properties?: swarm.dispatcher.Description.$Properties);
            $unknowns?: Uint8Array[];
            descriptionJson: Uint8Array;
            static create(properties: swarm.dispatcher.Description.$Shape): swarm.dispatcher.Description & swarm.dispatcher.Description.$Shape;
            static create(properties?: swarm.dispatcher.Description.$Properties): swarm.dispatcher.Description;
            static encode(message: swarm.dispatcher.Description.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): swarm.dispatcher.Description & swarm.dispatcher.Description.$Shape;
            static getTypeUrl(prefix?: string): string;
        }

        namespace Description {
            interface $Properties {
                descriptionJson?: (Uint8Array|null);
                $unknowns?: Uint8Array[];
            }
            type $Shape = swarm.dispatcher.Description.$Properties;
        }

        interface ILeaving extends swarm.dispatcher.Leaving.$Properties {
        }

        class Leaving {
            constructor(properties?: swarm.dispatcher.Leaving.$Properties);
            $unknowns?: Uint8Array[];
            static create(properties: swarm.dispatcher.Leaving.$Shape): swarm.dispatcher.Leaving & swarm.dispatcher.Leaving.$Shape;
            static create(properties?: swarm.dispatcher.Leaving.$Properties): swarm.dispatcher.Leaving;
            static encode(message: swarm.dispatcher.Leaving.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): swarm.dispatcher.Leaving & swarm.dispatcher.Leaving.$Shape;
            static getTypeUrl(prefix?: string): string;
        }

        namespace Leaving {
            interface $Properties {
                $unknowns?: Uint8Array[];
            }
            type $Shape = swarm.dispatcher.Leaving.$Properties;
        }

        interface ITunnelFailed extends swarm.dispatcher.TunnelFailed.$Properties {
        }

        class TunnelFailed {
            constructor(properties?: swarm.dispatcher.TunnelFailed.$Properties);
            $unknowns?: Uint8Array[];
            tunnelId: string;
            message: string;
            static create(properties: swarm.dispatcher.TunnelFailed.$Shape): swarm.dispatcher.TunnelFailed & swarm.dispatcher.TunnelFailed.$Shape;
            static create(properties?: swarm.dispatcher.TunnelFailed.$Properties): swarm.dispatcher.TunnelFailed;
            static encode(message: swarm.dispatcher.TunnelFailed.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): swarm.dispatcher.TunnelFailed & swarm.dispatcher.TunnelFailed.$Shape;
            static getTypeUrl(prefix?: string): string;
        }

        namespace TunnelFailed {
            interface $Properties {
                tunnelId?: (string|null);
                message?: (string|null);
                $unknowns?: Uint8Array[];
            }
            type $Shape = swarm.dispatcher.TunnelFailed.$Properties;
        }

        interface INetworkApplied extends swarm.dispatcher.NetworkApplied.$Properties {
        }

        class NetworkApplied {
            constructor(properties?: swarm.dispatcher.NetworkApplied.$Properties);
            $unknowns?: Uint8Array[];
            index: number;
            static create(properties: swarm.dispatcher.NetworkApplied.$Shape): swarm.dispatcher.NetworkApplied & swarm.dispatcher.NetworkApplied.$Shape;
            static create(properties?: swarm.dispatcher.NetworkApplied.$Properties): swarm.dispatcher.NetworkApplied;
            static encode(message: swarm.dispatcher.NetworkApplied.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): swarm.dispatcher.NetworkApplied & swarm.dispatcher.NetworkApplied.$Shape;
            static getTypeUrl(prefix?: string): string;
        }

        namespace NetworkApplied {
            interface $Properties {
                index?: (number|null);
                $unknowns?: Uint8Array[];
            }
            type $Shape = swarm.dispatcher.NetworkApplied.$Properties;
        }

        interface IAgentMessage extends swarm.dispatcher.AgentMessage.$Properties {
        }

        class AgentMessage {
            constructor(properties?: swarm.dispatcher.AgentMessage.$Properties);
            $unknowns?: Uint8Array[];
            hello?: (swarm.dispatcher.Hello.$Properties|null);
            heartbeat?: (swarm.dispatcher.Heartbeat.$Properties|null);
            statuses?: (swarm.dispatcher.StatusBatch.$Properties|null);
            description?: (swarm.dispatcher.Description.$Properties|null);
            leaving?: (swarm.dispatcher.Leaving.$Properties|null);
            tunnelFailed?: (swarm.dispatcher.TunnelFailed.$Properties|null);
            networkApplied?: (swarm.dispatcher.NetworkApplied.$Properties|null);
            message?: ("hello"|"heartbeat"|"statuses"|"description"|"leaving"|"tunnelFailed"|"networkApplied");
            static create(properties: swarm.dispatcher.AgentMessage.$Shape): swarm.dispatcher.AgentMessage & swarm.dispatcher.AgentMessage.$Shape;
            static create(properties?: swarm.dispatcher.AgentMessage.$Properties): swarm.dispatcher.AgentMessage;
            static encode(message: swarm.dispatcher.AgentMessage.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): swarm.dispatcher.AgentMessage & swarm.dispatcher.AgentMessage.$Shape;
            static getTypeUrl(prefix?: string): string;
        }

        namespace AgentMessage {
            interface $Properties {
                hello?: (swarm.dispatcher.Hello.$Properties|null);
                heartbeat?: (swarm.dispatcher.Heartbeat.$Properties|null);
                statuses?: (swarm.dispatcher.StatusBatch.$Properties|null);
                description?: (swarm.dispatcher.Description.$Properties|null);
                leaving?: (swarm.dispatcher.Leaving.$Properties|null);
                tunnelFailed?: (swarm.dispatcher.TunnelFailed.$Properties|null);
                networkApplied?: (swarm.dispatcher.NetworkApplied.$Properties|null);
                message?: ("hello"|"heartbeat"|"statuses"|"description"|"leaving"|"tunnelFailed"|"networkApplied");
                $unknowns?: Uint8Array[];
            }
            type $Shape = {
              hello?: swarm.dispatcher.Hello.$Shape|null;
              heartbeat?: swarm.dispatcher.Heartbeat.$Shape|null;
              statuses?: swarm.dispatcher.StatusBatch.$Shape|null;
              description?: swarm.dispatcher.Description.$Shape|null;
              leaving?: swarm.dispatcher.Leaving.$Shape|null;
              tunnelFailed?: swarm.dispatcher.TunnelFailed.$Shape|null;
              networkApplied?: swarm.dispatcher.NetworkApplied.$Shape|null;
              $unknowns?: Uint8Array[];
            } & (
              ({ message?: undefined; hello?: null; heartbeat?: null; statuses?: null; description?: null; leaving?: null; tunnelFailed?: null; networkApplied?: null }|{ message?: "hello"; hello: swarm.dispatcher.Hello.$Shape; heartbeat?: null; statuses?: null; description?: null; leaving?: null; tunnelFailed?: null; networkApplied?: null }|{ message?: "heartbeat"; hello?: null; heartbeat: swarm.dispatcher.Heartbeat.$Shape; statuses?: null; description?: null; leaving?: null; tunnelFailed?: null; networkApplied?: null }|{ message?: "statuses"; hello?: null; heartbeat?: null; statuses: swarm.dispatcher.StatusBatch.$Shape; description?: null; leaving?: null; tunnelFailed?: null; networkApplied?: null }|{ message?: "description"; hello?: null; heartbeat?: null; statuses?: null; description: swarm.dispatcher.Description.$Shape; leaving?: null; tunnelFailed?: null; networkApplied?: null }|{ message?: "leaving"; hello?: null; heartbeat?: null; statuses?: null; description?: null; leaving: swarm.dispatcher.Leaving.$Shape; tunnelFailed?: null; networkApplied?: null }|{ message?: "tunnelFailed"; hello?: null; heartbeat?: null; statuses?: null; description?: null; leaving?: null; tunnelFailed: swarm.dispatcher.TunnelFailed.$Shape; networkApplied?: null }|{ message?: "networkApplied"; hello?: null; heartbeat?: null; statuses?: null; description?: null; leaving?: null; tunnelFailed?: null; networkApplied: swarm.dispatcher.NetworkApplied.$Shape })
            );
        }

        interface IManagerAddr extends swarm.dispatcher.ManagerAddr.$Properties {
        }

        class ManagerAddr {
            constructor(properties?: swarm.dispatcher.ManagerAddr.$Properties);
            $unknowns?: Uint8Array[];
            nodeId: string;
            addr: string;
            static create(properties: swarm.dispatcher.ManagerAddr.$Shape): swarm.dispatcher.ManagerAddr & swarm.dispatcher.ManagerAddr.$Shape;
            static create(properties?: swarm.dispatcher.ManagerAddr.$Properties): swarm.dispatcher.ManagerAddr;
            static encode(message: swarm.dispatcher.ManagerAddr.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): swarm.dispatcher.ManagerAddr & swarm.dispatcher.ManagerAddr.$Shape;
            static getTypeUrl(prefix?: string): string;
        }

        namespace ManagerAddr {
            interface $Properties {
                nodeId?: (string|null);
                addr?: (string|null);
                $unknowns?: Uint8Array[];
            }
            type $Shape = swarm.dispatcher.ManagerAddr.$Properties;
        }

        interface IWelcome extends swarm.dispatcher.Welcome.$Properties {
        }

        class Welcome {
            constructor(properties?: swarm.dispatcher.Welcome.$Properties);
            $unknowns?: Uint8Array[];
            sessionId: string;
            heartbeatPeriodMs: number;
            static create(properties: swarm.dispatcher.Welcome.$Shape): swarm.dispatcher.Welcome & swarm.dispatcher.Welcome.$Shape;
            static create(properties?: swarm.dispatcher.Welcome.$Properties): swarm.dispatcher.Welcome;
            static encode(message: swarm.dispatcher.Welcome.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): swarm.dispatcher.Welcome & swarm.dispatcher.Welcome.$Shape;
            static getTypeUrl(prefix?: string): string;
        }

        namespace Welcome {
            interface $Properties {
                sessionId?: (string|null);
                heartbeatPeriodMs?: (number|null);
                $unknowns?: Uint8Array[];
            }
            type $Shape = swarm.dispatcher.Welcome.$Properties;
        }

        interface IHeartbeatAck extends swarm.dispatcher.HeartbeatAck.$Properties {
        }

        class HeartbeatAck {
            constructor(properties?: swarm.dispatcher.HeartbeatAck.$Properties);
            $unknowns?: Uint8Array[];
            seq: number;
            heartbeatPeriodMs: number;
            static create(properties: swarm.dispatcher.HeartbeatAck.$Shape): swarm.dispatcher.HeartbeatAck & swarm.dispatcher.HeartbeatAck.$Shape;
            static create(properties?: swarm.dispatcher.HeartbeatAck.$Properties): swarm.dispatcher.HeartbeatAck;
            static encode(message: swarm.dispatcher.HeartbeatAck.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): swarm.dispatcher.HeartbeatAck & swarm.dispatcher.HeartbeatAck.$Shape;
            static getTypeUrl(prefix?: string): string;
        }

        namespace HeartbeatAck {
            interface $Properties {
                seq?: (number|null);
                heartbeatPeriodMs?: (number|null);
                $unknowns?: Uint8Array[];
            }
            type $Shape = swarm.dispatcher.HeartbeatAck.$Properties;
        }

        interface IStatusAck extends swarm.dispatcher.StatusAck.$Properties {
        }

        class StatusAck {
            constructor(properties?: swarm.dispatcher.StatusAck.$Properties);
            $unknowns?: Uint8Array[];
            seq: number;
            static create(properties: swarm.dispatcher.StatusAck.$Shape): swarm.dispatcher.StatusAck & swarm.dispatcher.StatusAck.$Shape;
            static create(properties?: swarm.dispatcher.StatusAck.$Properties): swarm.dispatcher.StatusAck;
            static encode(message: swarm.dispatcher.StatusAck.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): swarm.dispatcher.StatusAck & swarm.dispatcher.StatusAck.$Shape;
            static getTypeUrl(prefix?: string): string;
        }

        namespace StatusAck {
            interface $Properties {
                seq?: (number|null);
                $unknowns?: Uint8Array[];
            }
            type $Shape = swarm.dispatcher.StatusAck.$Properties;
        }

        interface ITaskAssignment extends swarm.dispatcher.TaskAssignment.$Properties {
        }

        class TaskAssignment {
            constructor(properties?: swarm.dispatcher.TaskAssignment.$Properties);
            $unknowns?: Uint8Array[];
            taskId: string;
            serviceId: string;
            serviceName: string;
            slot: number;
            specRef: number;
            desiredState: number;
            notBeforeMs: number;
            hostPortsJson: Uint8Array;
            registryAuth: string;
            serviceLabelsJson: Uint8Array;
            versionIndex: number;
            genericResourcesJson: Uint8Array;
            networksJson: Uint8Array;
            networkPhase: number;
            static create(properties: swarm.dispatcher.TaskAssignment.$Shape): swarm.dispatcher.TaskAssignment & swarm.dispatcher.TaskAssignment.$Shape;
            static create(properties?: swarm.dispatcher.TaskAssignment.$Properties): swarm.dispatcher.TaskAssignment;
            static encode(message: swarm.dispatcher.TaskAssignment.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): swarm.dispatcher.TaskAssignment & swarm.dispatcher.TaskAssignment.$Shape;
            static getTypeUrl(prefix?: string): string;
        }

        namespace TaskAssignment {
            interface $Properties {
                taskId?: (string|null);
                serviceId?: (string|null);
                serviceName?: (string|null);
                slot?: (number|null);
                specRef?: (number|null);
                desiredState?: (number|null);
                notBeforeMs?: (number|null);
                hostPortsJson?: (Uint8Array|null);
                registryAuth?: (string|null);
                serviceLabelsJson?: (Uint8Array|null);
                versionIndex?: (number|null);
                genericResourcesJson?: (Uint8Array|null);
                networksJson?: (Uint8Array|null);
                networkPhase?: (number|null);
                $unknowns?: Uint8Array[];
            }
            type $Shape = swarm.dispatcher.TaskAssignment.$Properties;
        }

        interface INetworkAssignments extends swarm.dispatcher.NetworkAssignments.$Properties {
        }

        class NetworkAssignments {
            constructor(properties?: swarm.dispatcher.NetworkAssignments.$Properties);
            $unknowns?: Uint8Array[];
            complete: boolean;
            appliesTo: number;
            resultsIn: number;
            bodyJson: Uint8Array;
            static create(properties: swarm.dispatcher.NetworkAssignments.$Shape): swarm.dispatcher.NetworkAssignments & swarm.dispatcher.NetworkAssignments.$Shape;
            static create(properties?: swarm.dispatcher.NetworkAssignments.$Properties): swarm.dispatcher.NetworkAssignments;
            static encode(message: swarm.dispatcher.NetworkAssignments.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): swarm.dispatcher.NetworkAssignments & swarm.dispatcher.NetworkAssignments.$Shape;
            static getTypeUrl(prefix?: string): string;
        }

        namespace NetworkAssignments {
            interface $Properties {
                complete?: (boolean|null);
                appliesTo?: (number|null);
                resultsIn?: (number|null);
                bodyJson?: (Uint8Array|null);
                $unknowns?: Uint8Array[];
            }
            type $Shape = swarm.dispatcher.NetworkAssignments.$Properties;
        }

        interface IAssignments extends swarm.dispatcher.Assignments.$Properties {
        }

        class Assignments {
            constructor(properties?: swarm.dispatcher.Assignments.$Properties);
            $unknowns?: Uint8Array[];
            complete: boolean;
            appliesTo: number;
            resultsIn: number;
            specs: Uint8Array[];
            tasks: swarm.dispatcher.TaskAssignment.$Properties[];
            removedTaskIds: string[];
            static create(properties: swarm.dispatcher.Assignments.$Shape): swarm.dispatcher.Assignments & swarm.dispatcher.Assignments.$Shape;
            static create(properties?: swarm.dispatcher.Assignments.$Properties): swarm.dispatcher.Assignments;
            static encode(message: swarm.dispatcher.Assignments.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): swarm.dispatcher.Assignments & swarm.dispatcher.Assignments.$Shape;
            static getTypeUrl(prefix?: string): string;
        }

        namespace Assignments {
            interface $Properties {
                complete?: (boolean|null);
                appliesTo?: (number|null);
                resultsIn?: (number|null);
                specs?: (Uint8Array[]|null);
                tasks?: (swarm.dispatcher.TaskAssignment.$Properties[]|null);
                removedTaskIds?: (string[]|null);
                $unknowns?: Uint8Array[];
            }
            type $Shape = swarm.dispatcher.Assignments.$Properties;
        }

        interface INodeUpdate extends swarm.dispatcher.NodeUpdate.$Properties {
        }

        class NodeUpdate {
            constructor(properties?: swarm.dispatcher.NodeUpdate.$Properties);
            $unknowns?: Uint8Array[];
            role: string;
            availability: string;
            rootBundlePem: string;
            managers: swarm.dispatcher.ManagerAddr.$Properties[];
            forceRenew: boolean;
            hostname: string;
            static create(properties: swarm.dispatcher.NodeUpdate.$Shape): swarm.dispatcher.NodeUpdate & swarm.dispatcher.NodeUpdate.$Shape;
            static create(properties?: swarm.dispatcher.NodeUpdate.$Properties): swarm.dispatcher.NodeUpdate;
            static encode(message: swarm.dispatcher.NodeUpdate.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): swarm.dispatcher.NodeUpdate & swarm.dispatcher.NodeUpdate.$Shape;
            static getTypeUrl(prefix?: string): string;
        }

        namespace NodeUpdate {
            interface $Properties {
                role?: (string|null);
                availability?: (string|null);
                rootBundlePem?: (string|null);
                managers?: (swarm.dispatcher.ManagerAddr.$Properties[]|null);
                forceRenew?: (boolean|null);
                hostname?: (string|null);
                $unknowns?: Uint8Array[];
            }
            type $Shape = swarm.dispatcher.NodeUpdate.$Properties;
        }

        interface IRedirect extends swarm.dispatcher.Redirect.$Properties {
        }

        class Redirect {
            constructor(properties?: swarm.dispatcher.Redirect.$Properties);
            $unknowns?: Uint8Array[];
            leaderAddr: string;
            managers: swarm.dispatcher.ManagerAddr.$Properties[];
            static create(properties: swarm.dispatcher.Redirect.$Shape): swarm.dispatcher.Redirect & swarm.dispatcher.Redirect.$Shape;
            static create(properties?: swarm.dispatcher.Redirect.$Properties): swarm.dispatcher.Redirect;
            static encode(message: swarm.dispatcher.Redirect.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): swarm.dispatcher.Redirect & swarm.dispatcher.Redirect.$Shape;
            static getTypeUrl(prefix?: string): string;
        }

        namespace Redirect {
            interface $Properties {
                leaderAddr?: (string|null);
                managers?: (swarm.dispatcher.ManagerAddr.$Properties[]|null);
                $unknowns?: Uint8Array[];
            }
            type $Shape = swarm.dispatcher.Redirect.$Properties;
        }

        interface IRemoved extends swarm.dispatcher.Removed.$Properties {
        }

        class Removed {
            constructor(properties?: swarm.dispatcher.Removed.$Properties);
            $unknowns?: Uint8Array[];
            static create(properties: swarm.dispatcher.Removed.$Shape): swarm.dispatcher.Removed & swarm.dispatcher.Removed.$Shape;
            static create(properties?: swarm.dispatcher.Removed.$Properties): swarm.dispatcher.Removed;
            static encode(message: swarm.dispatcher.Removed.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): swarm.dispatcher.Removed & swarm.dispatcher.Removed.$Shape;
            static getTypeUrl(prefix?: string): string;
        }

        namespace Removed {
            interface $Properties {
                $unknowns?: Uint8Array[];
            }
            type $Shape = swarm.dispatcher.Removed.$Properties;
        }

        interface IOpenTunnel extends swarm.dispatcher.OpenTunnel.$Properties {
        }

        class OpenTunnel {
            constructor(properties?: swarm.dispatcher.OpenTunnel.$Properties);
            $unknowns?: Uint8Array[];
            tunnelId: string;
            managerAddr: string;
            static create(properties: swarm.dispatcher.OpenTunnel.$Shape): swarm.dispatcher.OpenTunnel & swarm.dispatcher.OpenTunnel.$Shape;
            static create(properties?: swarm.dispatcher.OpenTunnel.$Properties): swarm.dispatcher.OpenTunnel;
            static encode(message: swarm.dispatcher.OpenTunnel.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): swarm.dispatcher.OpenTunnel & swarm.dispatcher.OpenTunnel.$Shape;
            static getTypeUrl(prefix?: string): string;
        }

        namespace OpenTunnel {
            interface $Properties {
                tunnelId?: (string|null);
                managerAddr?: (string|null);
                $unknowns?: Uint8Array[];
            }
            type $Shape = swarm.dispatcher.OpenTunnel.$Properties;
        }

        interface IDispatcherMessage extends swarm.dispatcher.DispatcherMessage.$Properties {
        }

        class DispatcherMessage {
            constructor(properties?: swarm.dispatcher.DispatcherMessage.$Properties);
            $unknowns?: Uint8Array[];
            welcome?: (swarm.dispatcher.Welcome.$Properties|null);
            heartbeatAck?: (swarm.dispatcher.HeartbeatAck.$Properties|null);
            statusAck?: (swarm.dispatcher.StatusAck.$Properties|null);
            assignments?: (swarm.dispatcher.Assignments.$Properties|null);
            nodeUpdate?: (swarm.dispatcher.NodeUpdate.$Properties|null);
            redirect?: (swarm.dispatcher.Redirect.$Properties|null);
            removed?: (swarm.dispatcher.Removed.$Properties|null);
            openTunnel?: (swarm.dispatcher.OpenTunnel.$Properties|null);
            networks?: (swarm.dispatcher.NetworkAssignments.$Properties|null);
            message?: ("welcome"|"heartbeatAck"|"statusAck"|"assignments"|"nodeUpdate"|"redirect"|"removed"|"openTunnel"|"networks");
            static create(properties: swarm.dispatcher.DispatcherMessage.$Shape): swarm.dispatcher.DispatcherMessage & swarm.dispatcher.DispatcherMessage.$Shape;
            static create(properties?: swarm.dispatcher.DispatcherMessage.$Properties): swarm.dispatcher.DispatcherMessage;
            static encode(message: swarm.dispatcher.DispatcherMessage.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): swarm.dispatcher.DispatcherMessage & swarm.dispatcher.DispatcherMessage.$Shape;
            static getTypeUrl(prefix?: string): string;
        }

        namespace DispatcherMessage {
            interface $Properties {
                welcome?: (swarm.dispatcher.Welcome.$Properties|null);
                heartbeatAck?: (swarm.dispatcher.HeartbeatAck.$Properties|null);
                statusAck?: (swarm.dispatcher.StatusAck.$Properties|null);
                assignments?: (swarm.dispatcher.Assignments.$Properties|null);
                nodeUpdate?: (swarm.dispatcher.NodeUpdate.$Properties|null);
                redirect?: (swarm.dispatcher.Redirect.$Properties|null);
                removed?: (swarm.dispatcher.Removed.$Properties|null);
                openTunnel?: (swarm.dispatcher.OpenTunnel.$Properties|null);
                networks?: (swarm.dispatcher.NetworkAssignments.$Properties|null);
                message?: ("welcome"|"heartbeatAck"|"statusAck"|"assignments"|"nodeUpdate"|"redirect"|"removed"|"openTunnel"|"networks");
                $unknowns?: Uint8Array[];
            }
            type $Shape = {
              welcome?: swarm.dispatcher.Welcome.$Shape|null;
              heartbeatAck?: swarm.dispatcher.HeartbeatAck.$Shape|null;
              statusAck?: swarm.dispatcher.StatusAck.$Shape|null;
              assignments?: swarm.dispatcher.Assignments.$Shape|null;
              nodeUpdate?: swarm.dispatcher.NodeUpdate.$Shape|null;
              redirect?: swarm.dispatcher.Redirect.$Shape|null;
              removed?: swarm.dispatcher.Removed.$Shape|null;
              openTunnel?: swarm.dispatcher.OpenTunnel.$Shape|null;
              networks?: swarm.dispatcher.NetworkAssignments.$Shape|null;
              $unknowns?: Uint8Array[];
            } & (
              ({ message?: undefined; welcome?: null; heartbeatAck?: null; statusAck?: null; assignments?: null; nodeUpdate?: null; redirect?: null; removed?: null; openTunnel?: null; networks?: null }|{ message?: "welcome"; welcome: swarm.dispatcher.Welcome.$Shape; heartbeatAck?: null; statusAck?: null; assignments?: null; nodeUpdate?: null; redirect?: null; removed?: null; openTunnel?: null; networks?: null }|{ message?: "heartbeatAck"; welcome?: null; heartbeatAck: swarm.dispatcher.HeartbeatAck.$Shape; statusAck?: null; assignments?: null; nodeUpdate?: null; redirect?: null; removed?: null; openTunnel?: null; networks?: null }|{ message?: "statusAck"; welcome?: null; heartbeatAck?: null; statusAck: swarm.dispatcher.StatusAck.$Shape; assignments?: null; nodeUpdate?: null; redirect?: null; removed?: null; openTunnel?: null; networks?: null }|{ message?: "assignments"; welcome?: null; heartbeatAck?: null; statusAck?: null; assignments: swarm.dispatcher.Assignments.$Shape; nodeUpdate?: null; redirect?: null; removed?: null; openTunnel?: null; networks?: null }|{ message?: "nodeUpdate"; welcome?: null; heartbeatAck?: null; statusAck?: null; assignments?: null; nodeUpdate: swarm.dispatcher.NodeUpdate.$Shape; redirect?: null; removed?: null; openTunnel?: null; networks?: null }|{ message?: "redirect"; welcome?: null; heartbeatAck?: null; statusAck?: null; assignments?: null; nodeUpdate?: null; redirect: swarm.dispatcher.Redirect.$Shape; removed?: null; openTunnel?: null; networks?: null }|{ message?: "removed"; welcome?: null; heartbeatAck?: null; statusAck?: null; assignments?: null; nodeUpdate?: null; redirect?: null; removed: swarm.dispatcher.Removed.$Shape; openTunnel?: null; networks?: null }|{ message?: "openTunnel"; welcome?: null; heartbeatAck?: null; statusAck?: null; assignments?: null; nodeUpdate?: null; redirect?: null; removed?: null; openTunnel: swarm.dispatcher.OpenTunnel.$Shape; networks?: null }|{ message?: "networks"; welcome?: null; heartbeatAck?: null; statusAck?: null; assignments?: null; nodeUpdate?: null; redirect?: null; removed?: null; openTunnel?: null; networks: swarm.dispatcher.NetworkAssignments.$Shape })
            );
        }
    }

    namespace objects {

        interface IMeta extends swarm.objects.Meta.$Properties {
        }

        class Meta {
            constructor(properties?: swarm.objects.Meta.$Properties);
            $unknowns?: Uint8Array[];
            id: string;
            versionIndex: number;
            clientIndex: number;
            createdAtMs: number;
            updatedAtMs: number;
            static create(properties: swarm.objects.Meta.$Shape): swarm.objects.Meta & swarm.objects.Meta.$Shape;
            static create(properties?: swarm.objects.Meta.$Properties): swarm.objects.Meta;
            static encode(message: swarm.objects.Meta.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): swarm.objects.Meta & swarm.objects.Meta.$Shape;
            static getTypeUrl(prefix?: string): string;
        }

        namespace Meta {
            interface $Properties {
                id?: (string|null);
                versionIndex?: (number|null);
                clientIndex?: (number|null);
                createdAtMs?: (number|null);
                updatedAtMs?: (number|null);
                $unknowns?: Uint8Array[];
            }
            type $Shape = swarm.objects.Meta.$Properties;
        }

        interface IDeniedNode extends swarm.objects.DeniedNode.$Properties {
        }

        class DeniedNode {
            constructor(properties?: swarm.objects.DeniedNode.$Properties);
            $unknowns?: Uint8Array[];
            nodeId: string;
            untilMs: number;
            static create(properties: swarm.objects.DeniedNode.$Shape): swarm.objects.DeniedNode & swarm.objects.DeniedNode.$Shape;
            static create(properties?: swarm.objects.DeniedNode.$Properties): swarm.objects.DeniedNode;
            static encode(message: swarm.objects.DeniedNode.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): swarm.objects.DeniedNode & swarm.objects.DeniedNode.$Shape;
            static getTypeUrl(prefix?: string): string;
        }

        namespace DeniedNode {
            interface $Properties {
                nodeId?: (string|null);
                untilMs?: (number|null);
                $unknowns?: Uint8Array[];
            }
            type $Shape = swarm.objects.DeniedNode.$Properties;
        }

        interface ICluster extends swarm.objects.Cluster.$Properties {
        }

        class Cluster {
            constructor(properties?: swarm.objects.Cluster.$Properties);
            $unknowns?: Uint8Array[];
            meta?: (swarm.objects.Meta.$Properties|null);
            specJson: Uint8Array;
            rootCertPem: string;
            rootKeyPem: string;
            workerToken: string;
            managerToken: string;
            defaultAddrPool: string[];
            subnetSize: number;
            dataPathPort: number;
            deniedNodes: swarm.objects.DeniedNode.$Properties[];
            unlockKey: string;
            static create(properties: swarm.objects.Cluster.$Shape): swarm.objects.Cluster & swarm.objects.Cluster.$Shape;
            static create(properties?: swarm.objects.Cluster.$Properties): swarm.objects.Cluster;
            static encode(message: swarm.objects.Cluster.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): swarm.objects.Cluster & swarm.objects.Cluster.$Shape;
            static getTypeUrl(prefix?: string): string;
        }

        namespace Cluster {
            interface $Properties {
                meta?: (swarm.objects.Meta.$Properties|null);
                specJson?: (Uint8Array|null);
                rootCertPem?: (string|null);
                rootKeyPem?: (string|null);
                workerToken?: (string|null);
                managerToken?: (string|null);
                defaultAddrPool?: (string[]|null);
                subnetSize?: (number|null);
                dataPathPort?: (number|null);
                deniedNodes?: (swarm.objects.DeniedNode.$Properties[]|null);
                unlockKey?: (string|null);
                $unknowns?: Uint8Array[];
            }
            type $Shape = swarm.objects.Cluster.$Properties;
        }

        interface IRaftMember extends swarm.objects.RaftMember.$Properties {
        }

        class RaftMember {
            constructor(properties?: swarm.objects.RaftMember.$Properties);
            $unknowns?: Uint8Array[];
            memberId: string;
            addr: string;
            static create(properties: swarm.objects.RaftMember.$Shape): swarm.objects.RaftMember & swarm.objects.RaftMember.$Shape;
            static create(properties?: swarm.objects.RaftMember.$Properties): swarm.objects.RaftMember;
            static encode(message: swarm.objects.RaftMember.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): swarm.objects.RaftMember & swarm.objects.RaftMember.$Shape;
            static getTypeUrl(prefix?: string): string;
        }

        namespace RaftMember {
            interface $Properties {
                memberId?: (string|null);
                addr?: (string|null);
                $unknowns?: Uint8Array[];
            }
            type $Shape = swarm.objects.RaftMember.$Properties;
        }

        interface INode extends swarm.objects.Node.$Properties {
        }

        class Node {
            constructor(properties?: swarm.objects.Node.$Properties);
            $unknowns?: Uint8Array[];
            meta?: (swarm.objects.Meta.$Properties|null);
            specJson: Uint8Array;
            role: string;
            descriptionJson: Uint8Array;
            state: string;
            stateMessage: string;
            addr: string;
            manager?: (swarm.objects.RaftMember.$Properties|null);
            nodeIndex: number;
            bootId: string;
            downSinceMs: number;
            drainSinceMs: number;
            static create(properties: swarm.objects.Node.$Shape): swarm.objects.Node & swarm.objects.Node.$Shape;
            static create(properties?: swarm.objects.Node.$Properties): swarm.objects.Node;
            static encode(message: swarm.objects.Node.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): swarm.objects.Node & swarm.objects.Node.$Shape;
            static getTypeUrl(prefix?: string): string;
        }

        namespace Node {
            interface $Properties {
                meta?: (swarm.objects.Meta.$Properties|null);
                specJson?: (Uint8Array|null);
                role?: (string|null);
                descriptionJson?: (Uint8Array|null);
                state?: (string|null);
                stateMessage?: (string|null);
                addr?: (string|null);
                manager?: (swarm.objects.RaftMember.$Properties|null);
                nodeIndex?: (number|null);
                bootId?: (string|null);
                downSinceMs?: (number|null);
                drainSinceMs?: (number|null);
                $unknowns?: Uint8Array[];
            }
            type $Shape = swarm.objects.Node.$Properties;
        }

        interface IUpdateStatus extends swarm.objects.UpdateStatus.$Properties {
        }

        class UpdateStatus {
            constructor(properties?: swarm.objects.UpdateStatus.$Properties);
            $unknowns?: Uint8Array[];
            state: string;
            startedAtMs: number;
            completedAtMs: number;
            message: string;
            static create(properties: swarm.objects.UpdateStatus.$Shape): swarm.objects.UpdateStatus & swarm.objects.UpdateStatus.$Shape;
            static create(properties?: swarm.objects.UpdateStatus.$Properties): swarm.objects.UpdateStatus;
            static encode(message: swarm.objects.UpdateStatus.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): swarm.objects.UpdateStatus & swarm.objects.UpdateStatus.$Shape;
            static getTypeUrl(prefix?: string): string;
        }

        namespace UpdateStatus {
            interface $Properties {
                state?: (string|null);
                startedAtMs?: (number|null);
                completedAtMs?: (number|null);
                message?: (string|null);
                $unknowns?: Uint8Array[];
            }
            type $Shape = swarm.objects.UpdateStatus.$Properties;
        }

        interface IScheduleState extends swarm.objects.ScheduleState.$Properties {
        }

        class ScheduleState {
            constructor(properties?: swarm.objects.ScheduleState.$Properties);
            $unknowns?: Uint8Array[];
            nextTickMs: number;
            lastTickMs: number;
            missedCount: number;
            skippedCount: number;
            runs: number[];
            static create(properties: swarm.objects.ScheduleState.$Shape): swarm.objects.ScheduleState & swarm.objects.ScheduleState.$Shape;
            static create(properties?: swarm.objects.ScheduleState.$Properties): swarm.objects.ScheduleState;
            static encode(message: swarm.objects.ScheduleState.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): swarm.objects.ScheduleState & swarm.objects.ScheduleState.$Shape;
            static getTypeUrl(prefix?: string): string;
        }

        namespace ScheduleState {
            interface $Properties {
                nextTickMs?: (number|null);
                lastTickMs?: (number|null);
                missedCount?: (number|null);
                skippedCount?: (number|null);
                runs?: (number[]|null);
                $unknowns?: Uint8Array[];
            }
            type $Shape = swarm.objects.ScheduleState.$Properties;
        }

        interface ITaskMove extends swarm.objects.TaskMove.$Properties {
        }

        class TaskMove {
            constructor(properties?: swarm.objects.TaskMove.$Properties);
            $unknowns?: Uint8Array[];
            taskId: string;
            newTaskId: string;
            atMs: number;
            static create(properties: swarm.objects.TaskMove.$Shape): swarm.objects.TaskMove & swarm.objects.TaskMove.$Shape;
            static create(properties?: swarm.objects.TaskMove.$Properties): swarm.objects.TaskMove;
            static encode(message: swarm.objects.TaskMove.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): swarm.objects.TaskMove & swarm.objects.TaskMove.$Shape;
            static getTypeUrl(prefix?: string): string;
        }

        namespace TaskMove {
            interface $Properties {
                taskId?: (string|null);
                newTaskId?: (string|null);
                atMs?: (number|null);
                $unknowns?: Uint8Array[];
            }
            type $Shape = swarm.objects.TaskMove.$Properties;
        }

        interface IRebalanceState extends swarm.objects.RebalanceState.$Properties {
        }

        class RebalanceState {
            constructor(properties?: swarm.objects.RebalanceState.$Properties);
            $unknowns?: Uint8Array[];
            state: string;
            isManual: boolean;
            startedAtMs: number;
            endedAtMs: number;
            movedCount: number;
            failedCount: number;
            imbalanceBefore: number;
            imbalanceAfter: number;
            message: string;
            moves: swarm.objects.TaskMove.$Properties[];
            begunAtMs: number[];
            static create(properties: swarm.objects.RebalanceState.$Shape): swarm.objects.RebalanceState & swarm.objects.RebalanceState.$Shape;
            static create(properties?: swarm.objects.RebalanceState.$Properties): swarm.objects.RebalanceState;
            static encode(message: swarm.objects.RebalanceState.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): swarm.objects.RebalanceState & swarm.objects.RebalanceState.$Shape;
            static getTypeUrl(prefix?: string): string;
        }

        namespace RebalanceState {
            interface $Properties {
                state?: (string|null);
                isManual?: (boolean|null);
                startedAtMs?: (number|null);
                endedAtMs?: (number|null);
                movedCount?: (number|null);
                failedCount?: (number|null);
                imbalanceBefore?: (number|null);
                imbalanceAfter?: (number|null);
                message?: (string|null);
                moves?: (swarm.objects.TaskMove.$Properties[]|null);
                begunAtMs?: (number[]|null);
                $unknowns?: Uint8Array[];
            }
            type $Shape = swarm.objects.RebalanceState.$Properties;
        }

        interface ISpecRevision extends swarm.objects.SpecRevision.$Properties {
        }

        class SpecRevision {
            constructor(properties?: swarm.objects.SpecRevision.$Properties);
            $unknowns?: Uint8Array[];
            version: number;
            atMs: number;
            specJson: Uint8Array;
            registryAuth: string;
            by: string;
            isAutomatic: boolean;
            static create(properties: swarm.objects.SpecRevision.$Shape): swarm.objects.SpecRevision & swarm.objects.SpecRevision.$Shape;
            static create(properties?: swarm.objects.SpecRevision.$Properties): swarm.objects.SpecRevision;
            static encode(message: swarm.objects.SpecRevision.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): swarm.objects.SpecRevision & swarm.objects.SpecRevision.$Shape;
            static getTypeUrl(prefix?: string): string;
        }

        namespace SpecRevision {
            interface $Properties {
                version?: (number|null);
                atMs?: (number|null);
                specJson?: (Uint8Array|null);
                registryAuth?: (string|null);
                by?: (string|null);
                isAutomatic?: (boolean|null);
                $unknowns?: Uint8Array[];
            }
            type $Shape = swarm.objects.SpecRevision.$Properties;
        }

        interface IService extends swarm.objects.Service.$Properties {
        }

        class Service {
            constructor(properties?: swarm.objects.Service.$Properties);
            $unknowns?: Uint8Array[];
            meta?: (swarm.objects.Meta.$Properties|null);
            specJson: Uint8Array;
            specVersion: number;
            previousSpecJson: Uint8Array;
            previousSpecVersion: number;
            updateStatus?: (swarm.objects.UpdateStatus.$Properties|null);
            portsJson: Uint8Array;
            registryAuth: string;
            previousRegistryAuth: string;
            jobIteration: number;
            lastExecutionMs: number;
            vips: swarm.objects.VirtualIp.$Properties[];
            schedule?: (swarm.objects.ScheduleState.$Properties|null);
            rebalance?: (swarm.objects.RebalanceState.$Properties|null);
            history: swarm.objects.SpecRevision.$Properties[];
            specBy: string;
            static create(properties: swarm.objects.Service.$Shape): swarm.objects.Service & swarm.objects.Service.$Shape;
            static create(properties?: swarm.objects.Service.$Properties): swarm.objects.Service;
            static encode(message: swarm.objects.Service.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): swarm.objects.Service & swarm.objects.Service.$Shape;
            static getTypeUrl(prefix?: string): string;
        }

        namespace Service {
            interface $Properties {
                meta?: (swarm.objects.Meta.$Properties|null);
                specJson?: (Uint8Array|null);
                specVersion?: (number|null);
                previousSpecJson?: (Uint8Array|null);
                previousSpecVersion?: (number|null);
                updateStatus?: (swarm.objects.UpdateStatus.$Properties|null);
                portsJson?: (Uint8Array|null);
                registryAuth?: (string|null);
                previousRegistryAuth?: (string|null);
                jobIteration?: (number|null);
                lastExecutionMs?: (number|null);
                vips?: (swarm.objects.VirtualIp.$Properties[]|null);
                schedule?: (swarm.objects.ScheduleState.$Properties|null);
                rebalance?: (swarm.objects.RebalanceState.$Properties|null);
                history?: (swarm.objects.SpecRevision.$Properties[]|null);
                specBy?: (string|null);
                $unknowns?: Uint8Array[];
            }
            type $Shape = swarm.objects.Service.$Properties;
        }

        interface IVirtualIp extends swarm.objects.VirtualIp.$Properties {
        }

        class VirtualIp {
            constructor(properties?: swarm.objects.VirtualIp.$Properties);
            $unknowns?: Uint8Array[];
            networkId: string;
            address: string;
            address6: string;
            static create(properties: swarm.objects.VirtualIp.$Shape): swarm.objects.VirtualIp & swarm.objects.VirtualIp.$Shape;
            static create(properties?: swarm.objects.VirtualIp.$Properties): swarm.objects.VirtualIp;
            static encode(message: swarm.objects.VirtualIp.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): swarm.objects.VirtualIp & swarm.objects.VirtualIp.$Shape;
            static getTypeUrl(prefix?: string): string;
        }

        namespace VirtualIp {
            interface $Properties {
                networkId?: (string|null);
                address?: (string|null);
                address6?: (string|null);
                $unknowns?: Uint8Array[];
            }
            type $Shape = swarm.objects.VirtualIp.$Properties;
        }

        interface IPortStatus extends swarm.objects.PortStatus.$Properties {
        }

        class PortStatus {
            constructor(properties?: swarm.objects.PortStatus.$Properties);
            $unknowns?: Uint8Array[];
            protocol: string;
            targetPort: number;
            publishedPort: number;
            static create(properties: swarm.objects.PortStatus.$Shape): swarm.objects.PortStatus & swarm.objects.PortStatus.$Shape;
            static create(properties?: swarm.objects.PortStatus.$Properties): swarm.objects.PortStatus;
            static encode(message: swarm.objects.PortStatus.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): swarm.objects.PortStatus & swarm.objects.PortStatus.$Shape;
            static getTypeUrl(prefix?: string): string;
        }

        namespace PortStatus {
            interface $Properties {
                protocol?: (string|null);
                targetPort?: (number|null);
                publishedPort?: (number|null);
                $unknowns?: Uint8Array[];
            }
            type $Shape = swarm.objects.PortStatus.$Properties;
        }

        interface ITask extends swarm.objects.Task.$Properties {
        }

        class Task {
            constructor(properties?: swarm.objects.Task.$Properties);
            $unknowns?: Uint8Array[];
            id: string;
            versionIndex: number;
            createdAtMs: number;
            updatedAtMs: number;
            serviceId: string;
            serviceName: string;
            slot: number;
            nodeId: string;
            specJson: Uint8Array;
            specRef: number;
            specVersion: number;
            hostPortsJson: Uint8Array;
            desiredState: number;
            state: number;
            statusAtMs: number;
            message: string;
            err: string;
            containerId: string;
            pid: number;
            exitCode: number;
            portStatus: swarm.objects.PortStatus.$Properties[];
            notBeforeMs: number;
            jobIteration: number;
            genericResourcesJson: Uint8Array;
            networks: swarm.objects.TaskNetwork.$Properties[];
            networkPhase: number;
            static create(properties: swarm.objects.Task.$Shape): swarm.objects.Task & swarm.objects.Task.$Shape;
            static create(properties?: swarm.objects.Task.$Properties): swarm.objects.Task;
            static encode(message: swarm.objects.Task.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): swarm.objects.Task & swarm.objects.Task.$Shape;
            static getTypeUrl(prefix?: string): string;
        }

        namespace Task {
            interface $Properties {
                id?: (string|null);
                versionIndex?: (number|null);
                createdAtMs?: (number|null);
                updatedAtMs?: (number|null);
                serviceId?: (string|null);
                serviceName?: (string|null);
                slot?: (number|null);
                nodeId?: (string|null);
                specJson?: (Uint8Array|null);
                specRef?: (number|null);
                specVersion?: (number|null);
                hostPortsJson?: (Uint8Array|null);
                desiredState?: (number|null);
                state?: (number|null);
                statusAtMs?: (number|null);
                message?: (string|null);
                err?: (string|null);
                containerId?: (string|null);
                pid?: (number|null);
                exitCode?: (number|null);
                portStatus?: (swarm.objects.PortStatus.$Properties[]|null);
                notBeforeMs?: (number|null);
                jobIteration?: (number|null);
                genericResourcesJson?: (Uint8Array|null);
                networks?: (swarm.objects.TaskNetwork.$Properties[]|null);
                networkPhase?: (number|null);
                $unknowns?: Uint8Array[];
            }
            type $Shape = swarm.objects.Task.$Properties;
        }

        interface ITaskNetwork extends swarm.objects.TaskNetwork.$Properties {
        }

        class TaskNetwork {
            constructor(properties?: swarm.objects.TaskNetwork.$Properties);
            $unknowns?: Uint8Array[];
            networkId: string;
            address: string;
            address6: string;
            aliases: string[];
            static create(properties: swarm.objects.TaskNetwork.$Shape): swarm.objects.TaskNetwork & swarm.objects.TaskNetwork.$Shape;
            static create(properties?: swarm.objects.TaskNetwork.$Properties): swarm.objects.TaskNetwork;
            static encode(message: swarm.objects.TaskNetwork.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): swarm.objects.TaskNetwork & swarm.objects.TaskNetwork.$Shape;
            static getTypeUrl(prefix?: string): string;
        }

        namespace TaskNetwork {
            interface $Properties {
                networkId?: (string|null);
                address?: (string|null);
                address6?: (string|null);
                aliases?: (string[]|null);
                $unknowns?: Uint8Array[];
            }
            type $Shape = swarm.objects.TaskNetwork.$Properties;
        }

        interface INetwork extends swarm.objects.Network.$Properties {
        }

        class Network {
            constructor(properties?: swarm.objects.Network.$Properties);
            $unknowns?: Uint8Array[];
            meta?: (swarm.objects.Meta.$Properties|null);
            specJson: Uint8Array;
            predefined: boolean;
            vni: number;
            subnets: swarm.objects.Subnet.$Properties[];
            mtu: number;
            static create(properties: swarm.objects.Network.$Shape): swarm.objects.Network & swarm.objects.Network.$Shape;
            static create(properties?: swarm.objects.Network.$Properties): swarm.objects.Network;
            static encode(message: swarm.objects.Network.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): swarm.objects.Network & swarm.objects.Network.$Shape;
            static getTypeUrl(prefix?: string): string;
        }

        namespace Network {
            interface $Properties {
                meta?: (swarm.objects.Meta.$Properties|null);
                specJson?: (Uint8Array|null);
                predefined?: (boolean|null);
                vni?: (number|null);
                subnets?: (swarm.objects.Subnet.$Properties[]|null);
                mtu?: (number|null);
                $unknowns?: Uint8Array[];
            }
            type $Shape = swarm.objects.Network.$Properties;
        }

        interface ISubnet extends swarm.objects.Subnet.$Properties {
        }

        class Subnet {
            constructor(properties?: swarm.objects.Subnet.$Properties);
            $unknowns?: Uint8Array[];
            subnet: string;
            gateway: string;
            ipRange: string;
            static create(properties: swarm.objects.Subnet.$Shape): swarm.objects.Subnet & swarm.objects.Subnet.$Shape;
            static create(properties?: swarm.objects.Subnet.$Properties): swarm.objects.Subnet;
            static encode(message: swarm.objects.Subnet.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): swarm.objects.Subnet & swarm.objects.Subnet.$Shape;
            static getTypeUrl(prefix?: string): string;
        }

        namespace Subnet {
            interface $Properties {
                subnet?: (string|null);
                gateway?: (string|null);
                ipRange?: (string|null);
                $unknowns?: Uint8Array[];
            }
            type $Shape = swarm.objects.Subnet.$Properties;
        }

        interface ISecret extends swarm.objects.Secret.$Properties {
        }

        class Secret {
            constructor(properties?: swarm.objects.Secret.$Properties);
            $unknowns?: Uint8Array[];
            meta?: (swarm.objects.Meta.$Properties|null);
            specJson: Uint8Array;
            static create(properties: swarm.objects.Secret.$Shape): swarm.objects.Secret & swarm.objects.Secret.$Shape;
            static create(properties?: swarm.objects.Secret.$Properties): swarm.objects.Secret;
            static encode(message: swarm.objects.Secret.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): swarm.objects.Secret & swarm.objects.Secret.$Shape;
            static getTypeUrl(prefix?: string): string;
        }

        namespace Secret {
            interface $Properties {
                meta?: (swarm.objects.Meta.$Properties|null);
                specJson?: (Uint8Array|null);
                $unknowns?: Uint8Array[];
            }
            type $Shape = swarm.objects.Secret.$Properties;
        }

        interface IConfig extends swarm.objects.Config.$Properties {
        }

        class Config {
            constructor(properties?: swarm.objects.Config.$Properties);
            $unknowns?: Uint8Array[];
            meta?: (swarm.objects.Meta.$Properties|null);
            specJson: Uint8Array;
            static create(properties: swarm.objects.Config.$Shape): swarm.objects.Config & swarm.objects.Config.$Shape;
            static create(properties?: swarm.objects.Config.$Properties): swarm.objects.Config;
            static encode(message: swarm.objects.Config.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): swarm.objects.Config & swarm.objects.Config.$Shape;
            static getTypeUrl(prefix?: string): string;
        }

        namespace Config {
            interface $Properties {
                meta?: (swarm.objects.Meta.$Properties|null);
                specJson?: (Uint8Array|null);
                $unknowns?: Uint8Array[];
            }
            type $Shape = swarm.objects.Config.$Properties;
        }

        interface IPrecondition extends swarm.objects.Precondition.$Properties {
        }

        class Precondition {
            constructor(properties?: swarm.objects.Precondition.$Properties);
            $unknowns?: Uint8Array[];
            kind: string;
            table: string;
            id: string;
            index: number;
            name: string;
            exceptId: string;
            protocol: string;
            publishedPort: number;
            publishMode: string;
            networkId: string;
            address: string;
            vni: number;
            subnet: string;
            static create(properties: swarm.objects.Precondition.$Shape): swarm.objects.Precondition & swarm.objects.Precondition.$Shape;
            static create(properties?: swarm.objects.Precondition.$Properties): swarm.objects.Precondition;
            static encode(message: swarm.objects.Precondition.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): swarm.objects.Precondition & swarm.objects.Precondition.$Shape;
            static getTypeUrl(prefix?: string): string;
        }

        namespace Precondition {
            interface $Properties {
                kind?: (string|null);
                table?: (string|null);
                id?: (string|null);
                index?: (number|null);
                name?: (string|null);
                exceptId?: (string|null);
                protocol?: (string|null);
                publishedPort?: (number|null);
                publishMode?: (string|null);
                networkId?: (string|null);
                address?: (string|null);
                vni?: (number|null);
                subnet?: (string|null);
                $unknowns?: Uint8Array[];
            }
            type $Shape = swarm.objects.Precondition.$Properties;
        }

        interface IDelete extends swarm.objects.Delete.$Properties {
        }

        class Delete {
            constructor(properties?: swarm.objects.Delete.$Properties);
            $unknowns?: Uint8Array[];
            table: string;
            id: string;
            static create(properties: swarm.objects.Delete.$Shape): swarm.objects.Delete & swarm.objects.Delete.$Shape;
            static create(properties?: swarm.objects.Delete.$Properties): swarm.objects.Delete;
            static encode(message: swarm.objects.Delete.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): swarm.objects.Delete & swarm.objects.Delete.$Shape;
            static getTypeUrl(prefix?: string): string;
        }

        namespace Delete {
            interface $Properties {
                table?: (string|null);
                id?: (string|null);
                $unknowns?: Uint8Array[];
            }
            type $Shape = swarm.objects.Delete.$Properties;
        }

        interface ITaskDesired extends swarm.objects.TaskDesired.$Properties {
        }

        class TaskDesired {
            constructor(properties?: swarm.objects.TaskDesired.$Properties);
            $unknowns?: Uint8Array[];
            taskId: string;
            desiredState: number;
            notBeforeMs?: (number|null);
            static create(properties: swarm.objects.TaskDesired.$Shape): swarm.objects.TaskDesired & swarm.objects.TaskDesired.$Shape;
            static create(properties?: swarm.objects.TaskDesired.$Properties): swarm.objects.TaskDesired;
            static encode(message: swarm.objects.TaskDesired.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): swarm.objects.TaskDesired & swarm.objects.TaskDesired.$Shape;
            static getTypeUrl(prefix?: string): string;
        }

        namespace TaskDesired {
            interface $Properties {
                taskId?: (string|null);
                desiredState?: (number|null);
                notBeforeMs?: (number|null);
                $unknowns?: Uint8Array[];
            }
            type $Shape = swarm.objects.TaskDesired.$Properties;
        }

        interface ITaskAssign extends swarm.objects.TaskAssign.$Properties {
        }

        class TaskAssign {
            constructor(properties?: swarm.objects.TaskAssign.$Properties);
            $unknowns?: Uint8Array[];
            taskId: string;
            nodeId: string;
            message: string;
            genericResourcesJson: Uint8Array;
            static create(properties: swarm.objects.TaskAssign.$Shape): swarm.objects.TaskAssign & swarm.objects.TaskAssign.$Shape;
            static create(properties?: swarm.objects.TaskAssign.$Properties): swarm.objects.TaskAssign;
            static encode(message: swarm.objects.TaskAssign.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): swarm.objects.TaskAssign & swarm.objects.TaskAssign.$Shape;
            static getTypeUrl(prefix?: string): string;
        }

        namespace TaskAssign {
            interface $Properties {
                taskId?: (string|null);
                nodeId?: (string|null);
                message?: (string|null);
                genericResourcesJson?: (Uint8Array|null);
                $unknowns?: Uint8Array[];
            }
            type $Shape = swarm.objects.TaskAssign.$Properties;
        }

        interface ITaskStatus extends swarm.objects.TaskStatus.$Properties {
        }

        class TaskStatus {
            constructor(properties?: swarm.objects.TaskStatus.$Properties);
            $unknowns?: Uint8Array[];
            taskId: string;
            state: number;
            atMs: number;
            message: string;
            err: string;
            containerId: string;
            pid: number;
            exitCode: number;
            portStatus: swarm.objects.PortStatus.$Properties[];
            static create(properties: swarm.objects.TaskStatus.$Shape): swarm.objects.TaskStatus & swarm.objects.TaskStatus.$Shape;
            static create(properties?: swarm.objects.TaskStatus.$Properties): swarm.objects.TaskStatus;
            static encode(message: swarm.objects.TaskStatus.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): swarm.objects.TaskStatus & swarm.objects.TaskStatus.$Shape;
            static getTypeUrl(prefix?: string): string;
        }

        namespace TaskStatus {
            interface $Properties {
                taskId?: (string|null);
                state?: (number|null);
                atMs?: (number|null);
                message?: (string|null);
                err?: (string|null);
                containerId?: (string|null);
                pid?: (number|null);
                exitCode?: (number|null);
                portStatus?: (swarm.objects.PortStatus.$Properties[]|null);
                $unknowns?: Uint8Array[];
            }
            type $Shape = swarm.objects.TaskStatus.$Properties;
        }

        interface IServiceUpdateStatus extends swarm.objects.ServiceUpdateStatus.$Properties {
        }

        class ServiceUpdateStatus {
            constructor(properties?: swarm.objects.ServiceUpdateStatus.$Properties);
            $unknowns?: Uint8Array[];
            serviceId: string;
            specVersion: number;
            updateStatus?: (swarm.objects.UpdateStatus.$Properties|null);
            static create(properties: swarm.objects.ServiceUpdateStatus.$Shape): swarm.objects.ServiceUpdateStatus & swarm.objects.ServiceUpdateStatus.$Shape;
            static create(properties?: swarm.objects.ServiceUpdateStatus.$Properties): swarm.objects.ServiceUpdateStatus;
            static encode(message: swarm.objects.ServiceUpdateStatus.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): swarm.objects.ServiceUpdateStatus & swarm.objects.ServiceUpdateStatus.$Shape;
            static getTypeUrl(prefix?: string): string;
        }

        namespace ServiceUpdateStatus {
            interface $Properties {
                serviceId?: (string|null);
                specVersion?: (number|null);
                updateStatus?: (swarm.objects.UpdateStatus.$Properties|null);
                $unknowns?: Uint8Array[];
            }
            type $Shape = swarm.objects.ServiceUpdateStatus.$Properties;
        }

        interface IServiceRebalance extends swarm.objects.ServiceRebalance.$Properties {
        }

        class ServiceRebalance {
            constructor(properties?: swarm.objects.ServiceRebalance.$Properties);
            $unknowns?: Uint8Array[];
            serviceId: string;
            specVersion: number;
            rebalance?: (swarm.objects.RebalanceState.$Properties|null);
            static create(properties: swarm.objects.ServiceRebalance.$Shape): swarm.objects.ServiceRebalance & swarm.objects.ServiceRebalance.$Shape;
            static create(properties?: swarm.objects.ServiceRebalance.$Properties): swarm.objects.ServiceRebalance;
            static encode(message: swarm.objects.ServiceRebalance.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): swarm.objects.ServiceRebalance & swarm.objects.ServiceRebalance.$Shape;
            static getTypeUrl(prefix?: string): string;
        }

        namespace ServiceRebalance {
            interface $Properties {
                serviceId?: (string|null);
                specVersion?: (number|null);
                rebalance?: (swarm.objects.RebalanceState.$Properties|null);
                $unknowns?: Uint8Array[];
            }
            type $Shape = swarm.objects.ServiceRebalance.$Properties;
        }

        interface IServiceRollBack extends swarm.objects.ServiceRollBack.$Properties {
        }

        class ServiceRollBack {
            constructor(properties?: swarm.objects.ServiceRollBack.$Properties);
            $unknowns?: Uint8Array[];
            serviceId: string;
            specVersion: number;
            message: string;
            static create(properties: swarm.objects.ServiceRollBack.$Shape): swarm.objects.ServiceRollBack & swarm.objects.ServiceRollBack.$Shape;
            static create(properties?: swarm.objects.ServiceRollBack.$Properties): swarm.objects.ServiceRollBack;
            static encode(message: swarm.objects.ServiceRollBack.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): swarm.objects.ServiceRollBack & swarm.objects.ServiceRollBack.$Shape;
            static getTypeUrl(prefix?: string): string;
        }

        namespace ServiceRollBack {
            interface $Properties {
                serviceId?: (string|null);
                specVersion?: (number|null);
                message?: (string|null);
                $unknowns?: Uint8Array[];
            }
            type $Shape = swarm.objects.ServiceRollBack.$Properties;
        }

        interface INodeStatus extends swarm.objects.NodeStatus.$Properties {
        }

        class NodeStatus {
            constructor(properties?: swarm.objects.NodeStatus.$Properties);
            $unknowns?: Uint8Array[];
            nodeId: string;
            state?: (string|null);
            stateMessage?: (string|null);
            addr?: (string|null);
            descriptionJson?: (Uint8Array|null);
            bootId?: (string|null);
            static create(properties: swarm.objects.NodeStatus.$Shape): swarm.objects.NodeStatus & swarm.objects.NodeStatus.$Shape;
            static create(properties?: swarm.objects.NodeStatus.$Properties): swarm.objects.NodeStatus;
            static encode(message: swarm.objects.NodeStatus.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): swarm.objects.NodeStatus & swarm.objects.NodeStatus.$Shape;
            static getTypeUrl(prefix?: string): string;
        }

        namespace NodeStatus {
            interface $Properties {
                nodeId?: (string|null);
                state?: (string|null);
                stateMessage?: (string|null);
                addr?: (string|null);
                descriptionJson?: (Uint8Array|null);
                bootId?: (string|null);
                $unknowns?: Uint8Array[];
            }
            type $Shape = swarm.objects.NodeStatus.$Properties;
        }

        interface INodeRole extends swarm.objects.NodeRole.$Properties {
        }

        class NodeRole {
            constructor(properties?: swarm.objects.NodeRole.$Properties);
            $unknowns?: Uint8Array[];
            nodeId: string;
            role?: (string|null);
            manager?: (swarm.objects.RaftMember.$Properties|null);
            clearManager: boolean;
            static create(properties: swarm.objects.NodeRole.$Shape): swarm.objects.NodeRole & swarm.objects.NodeRole.$Shape;
            static create(properties?: swarm.objects.NodeRole.$Properties): swarm.objects.NodeRole;
            static encode(message: swarm.objects.NodeRole.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): swarm.objects.NodeRole & swarm.objects.NodeRole.$Shape;
            static getTypeUrl(prefix?: string): string;
        }

        namespace NodeRole {
            interface $Properties {
                nodeId?: (string|null);
                role?: (string|null);
                manager?: (swarm.objects.RaftMember.$Properties|null);
                clearManager?: (boolean|null);
                $unknowns?: Uint8Array[];
            }
            type $Shape = swarm.objects.NodeRole.$Properties;
        }

        interface INetworkAllocated extends swarm.objects.NetworkAllocated.$Properties {
        }

        class NetworkAllocated {
            constructor(properties?: swarm.objects.NetworkAllocated.$Properties);
            $unknowns?: Uint8Array[];
            networkId: string;
            vni: number;
            subnets: swarm.objects.Subnet.$Properties[];
            mtu: number;
            static create(properties: swarm.objects.NetworkAllocated.$Shape): swarm.objects.NetworkAllocated & swarm.objects.NetworkAllocated.$Shape;
            static create(properties?: swarm.objects.NetworkAllocated.$Properties): swarm.objects.NetworkAllocated;
            static encode(message: swarm.objects.NetworkAllocated.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): swarm.objects.NetworkAllocated & swarm.objects.NetworkAllocated.$Shape;
            static getTypeUrl(prefix?: string): string;
        }

        namespace NetworkAllocated {
            interface $Properties {
                networkId?: (string|null);
                vni?: (number|null);
                subnets?: (swarm.objects.Subnet.$Properties[]|null);
                mtu?: (number|null);
                $unknowns?: Uint8Array[];
            }
            type $Shape = swarm.objects.NetworkAllocated.$Properties;
        }

        interface IServiceEndpoint extends swarm.objects.ServiceEndpoint.$Properties {
        }

        class ServiceEndpoint {
            constructor(properties?: swarm.objects.ServiceEndpoint.$Properties);
            $unknowns?: Uint8Array[];
            serviceId: string;
            specVersion: number;
            vips: swarm.objects.VirtualIp.$Properties[];
            portsJson: Uint8Array;
            static create(properties: swarm.objects.ServiceEndpoint.$Shape): swarm.objects.ServiceEndpoint & swarm.objects.ServiceEndpoint.$Shape;
            static create(properties?: swarm.objects.ServiceEndpoint.$Properties): swarm.objects.ServiceEndpoint;
            static encode(message: swarm.objects.ServiceEndpoint.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): swarm.objects.ServiceEndpoint & swarm.objects.ServiceEndpoint.$Shape;
            static getTypeUrl(prefix?: string): string;
        }

        namespace ServiceEndpoint {
            interface $Properties {
                serviceId?: (string|null);
                specVersion?: (number|null);
                vips?: (swarm.objects.VirtualIp.$Properties[]|null);
                portsJson?: (Uint8Array|null);
                $unknowns?: Uint8Array[];
            }
            type $Shape = swarm.objects.ServiceEndpoint.$Properties;
        }

        interface ITaskNetworks extends swarm.objects.TaskNetworks.$Properties {
        }

        class TaskNetworks {
            constructor(properties?: swarm.objects.TaskNetworks.$Properties);
            $unknowns?: Uint8Array[];
            taskId: string;
            networks: swarm.objects.TaskNetwork.$Properties[];
            message: string;
            static create(properties: swarm.objects.TaskNetworks.$Shape): swarm.objects.TaskNetworks & swarm.objects.TaskNetworks.$Shape;
            static create(properties?: swarm.objects.TaskNetworks.$Properties): swarm.objects.TaskNetworks;
            static encode(message: swarm.objects.TaskNetworks.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): swarm.objects.TaskNetworks & swarm.objects.TaskNetworks.$Shape;
            static getTypeUrl(prefix?: string): string;
        }

        namespace TaskNetworks {
            interface $Properties {
                taskId?: (string|null);
                networks?: (swarm.objects.TaskNetwork.$Properties[]|null);
                message?: (string|null);
                $unknowns?: Uint8Array[];
            }
            type $Shape = swarm.objects.TaskNetworks.$Properties;
        }

        interface ITaskNetworkPhase extends swarm.objects.TaskNetworkPhase.$Properties {
        }

        class TaskNetworkPhase {
            constructor(properties?: swarm.objects.TaskNetworkPhase.$Properties);
            $unknowns?: Uint8Array[];
            taskId: string;
            phase: number;
            static create(properties: swarm.objects.TaskNetworkPhase.$Shape): swarm.objects.TaskNetworkPhase & swarm.objects.TaskNetworkPhase.$Shape;
            static create(properties?: swarm.objects.TaskNetworkPhase.$Properties): swarm.objects.TaskNetworkPhase;
            static encode(message: swarm.objects.TaskNetworkPhase.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): swarm.objects.TaskNetworkPhase & swarm.objects.TaskNetworkPhase.$Shape;
            static getTypeUrl(prefix?: string): string;
        }

        namespace TaskNetworkPhase {
            interface $Properties {
                taskId?: (string|null);
                phase?: (number|null);
                $unknowns?: Uint8Array[];
            }
            type $Shape = swarm.objects.TaskNetworkPhase.$Properties;
        }

        interface IChange extends swarm.objects.Change.$Properties {
        }

        class Change {
            constructor(properties?: swarm.objects.Change.$Properties);
            $unknowns?: Uint8Array[];
            putCluster?: (swarm.objects.Cluster.$Properties|null);
            putNode?: (swarm.objects.Node.$Properties|null);
            putService?: (swarm.objects.Service.$Properties|null);
            putTask?: (swarm.objects.Task.$Properties|null);
            putNetwork?: (swarm.objects.Network.$Properties|null);
            putSecret?: (swarm.objects.Secret.$Properties|null);
            putConfig?: (swarm.objects.Config.$Properties|null);
            delete?: (swarm.objects.Delete.$Properties|null);
            taskDesired?: (swarm.objects.TaskDesired.$Properties|null);
            taskAssign?: (swarm.objects.TaskAssign.$Properties|null);
            taskStatus?: (swarm.objects.TaskStatus.$Properties|null);
            serviceUpdateStatus?: (swarm.objects.ServiceUpdateStatus.$Properties|null);
            nodeStatus?: (swarm.objects.NodeStatus.$Properties|null);
            nodeRole?: (swarm.objects.NodeRole.$Properties|null);
            networkAllocated?: (swarm.objects.NetworkAllocated.$Properties|null);
            serviceEndpoint?: (swarm.objects.ServiceEndpoint.$Properties|null);
            taskNetworks?: (swarm.objects.TaskNetworks.$Properties|null);
            taskNetworkPhase?: (swarm.objects.TaskNetworkPhase.$Properties|null);
            serviceRollBack?: (swarm.objects.ServiceRollBack.$Properties|null);
            serviceRebalance?: (swarm.objects.ServiceRebalance.$Properties|null);
            change?: ("putCluster"|"putNode"|"putService"|"putTask"|"putNetwork"|"putSecret"|"putConfig"|"delete"|"taskDesired"|"taskAssign"|"taskStatus"|"serviceUpdateStatus"|"nodeStatus"|"nodeRole"|"networkAllocated"|"serviceEndpoint"|"taskNetworks"|"taskNetworkPhase"|"serviceRollBack"|"serviceRebalance");
            static create(properties: swarm.objects.Change.$Shape): swarm.objects.Change & swarm.objects.Change.$Shape;
            static create(properties?: swarm.objects.Change.$Properties): swarm.objects.Change;
            static encode(message: swarm.objects.Change.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): swarm.objects.Change & swarm.objects.Change.$Shape;
            static getTypeUrl(prefix?: string): string;
        }

        namespace Change {
            interface $Properties {
                putCluster?: (swarm.objects.Cluster.$Properties|null);
                putNode?: (swarm.objects.Node.$Properties|null);
                putService?: (swarm.objects.Service.$Properties|null);
                putTask?: (swarm.objects.Task.$Properties|null);
                putNetwork?: (swarm.objects.Network.$Properties|null);
                putSecret?: (swarm.objects.Secret.$Properties|null);
                putConfig?: (swarm.objects.Config.$Properties|null);
                "delete"?: (swarm.objects.Delete.$Properties|null);
                taskDesired?: (swarm.objects.TaskDesired.$Properties|null);
                taskAssign?: (swarm.objects.TaskAssign.$Properties|null);
                taskStatus?: (swarm.objects.TaskStatus.$Properties|null);
                serviceUpdateStatus?: (swarm.objects.ServiceUpdateStatus.$Properties|null);
                nodeStatus?: (swarm.objects.NodeStatus.$Properties|null);
                nodeRole?: (swarm.objects.NodeRole.$Properties|null);
                networkAllocated?: (swarm.objects.NetworkAllocated.$Properties|null);
                serviceEndpoint?: (swarm.objects.ServiceEndpoint.$Properties|null);
                taskNetworks?: (swarm.objects.TaskNetworks.$Properties|null);
                taskNetworkPhase?: (swarm.objects.TaskNetworkPhase.$Properties|null);
                serviceRollBack?: (swarm.objects.ServiceRollBack.$Properties|null);
                serviceRebalance?: (swarm.objects.ServiceRebalance.$Properties|null);
                change?: ("putCluster"|"putNode"|"putService"|"putTask"|"putNetwork"|"putSecret"|"putConfig"|"delete"|"taskDesired"|"taskAssign"|"taskStatus"|"serviceUpdateStatus"|"nodeStatus"|"nodeRole"|"networkAllocated"|"serviceEndpoint"|"taskNetworks"|"taskNetworkPhase"|"serviceRollBack"|"serviceRebalance");
                $unknowns?: Uint8Array[];
            }
            type $Shape = {
              putCluster?: swarm.objects.Cluster.$Shape|null;
              putNode?: swarm.objects.Node.$Shape|null;
              putService?: swarm.objects.Service.$Shape|null;
              putTask?: swarm.objects.Task.$Shape|null;
              putNetwork?: swarm.objects.Network.$Shape|null;
              putSecret?: swarm.objects.Secret.$Shape|null;
              putConfig?: swarm.objects.Config.$Shape|null;
              "delete"?: swarm.objects.Delete.$Shape|null;
              taskDesired?: swarm.objects.TaskDesired.$Shape|null;
              taskAssign?: swarm.objects.TaskAssign.$Shape|null;
              taskStatus?: swarm.objects.TaskStatus.$Shape|null;
              serviceUpdateStatus?: swarm.objects.ServiceUpdateStatus.$Shape|null;
              nodeStatus?: swarm.objects.NodeStatus.$Shape|null;
              nodeRole?: swarm.objects.NodeRole.$Shape|null;
              networkAllocated?: swarm.objects.NetworkAllocated.$Shape|null;
              serviceEndpoint?: swarm.objects.ServiceEndpoint.$Shape|null;
              taskNetworks?: swarm.objects.TaskNetworks.$Shape|null;
              taskNetworkPhase?: swarm.objects.TaskNetworkPhase.$Shape|null;
              serviceRollBack?: swarm.objects.ServiceRollBack.$Shape|null;
              serviceRebalance?: swarm.objects.ServiceRebalance.$Shape|null;
              $unknowns?: Uint8Array[];
            } & (
              ({ change?: undefined; putCluster?: null; putNode?: null; putService?: null; putTask?: null; putNetwork?: null; putSecret?: null; putConfig?: null; "delete"?: null; taskDesired?: null; taskAssign?: null; taskStatus?: null; serviceUpdateStatus?: null; nodeStatus?: null; nodeRole?: null; networkAllocated?: null; serviceEndpoint?: null; taskNetworks?: null; taskNetworkPhase?: null; serviceRollBack?: null; serviceRebalance?: null }|{ change?: "putCluster"; putCluster: swarm.objects.Cluster.$Shape; putNode?: null; putService?: null; putTask?: null; putNetwork?: null; putSecret?: null; putConfig?: null; "delete"?: null; taskDesired?: null; taskAssign?: null; taskStatus?: null; serviceUpdateStatus?: null; nodeStatus?: null; nodeRole?: null; networkAllocated?: null; serviceEndpoint?: null; taskNetworks?: null; taskNetworkPhase?: null; serviceRollBack?: null; serviceRebalance?: null }|{ change?: "putNode"; putCluster?: null; putNode: swarm.objects.Node.$Shape; putService?: null; putTask?: null; putNetwork?: null; putSecret?: null; putConfig?: null; "delete"?: null; taskDesired?: null; taskAssign?: null; taskStatus?: null; serviceUpdateStatus?: null; nodeStatus?: null; nodeRole?: null; networkAllocated?: null; serviceEndpoint?: null; taskNetworks?: null; taskNetworkPhase?: null; serviceRollBack?: null; serviceRebalance?: null }|{ change?: "putService"; putCluster?: null; putNode?: null; putService: swarm.objects.Service.$Shape; putTask?: null; putNetwork?: null; putSecret?: null; putConfig?: null; "delete"?: null; taskDesired?: null; taskAssign?: null; taskStatus?: null; serviceUpdateStatus?: null; nodeStatus?: null; nodeRole?: null; networkAllocated?: null; serviceEndpoint?: null; taskNetworks?: null; taskNetworkPhase?: null; serviceRollBack?: null; serviceRebalance?: null }|{ change?: "putTask"; putCluster?: null; putNode?: null; putService?: null; putTask: swarm.objects.Task.$Shape; putNetwork?: null; putSecret?: null; putConfig?: null; "delete"?: null; taskDesired?: null; taskAssign?: null; taskStatus?: null; serviceUpdateStatus?: null; nodeStatus?: null; nodeRole?: null; networkAllocated?: null; serviceEndpoint?: null; taskNetworks?: null; taskNetworkPhase?: null; serviceRollBack?: null; serviceRebalance?: null }|{ change?: "putNetwork"; putCluster?: null; putNode?: null; putService?: null; putTask?: null; putNetwork: swarm.objects.Network.$Shape; putSecret?: null; putConfig?: null; "delete"?: null; taskDesired?: null; taskAssign?: null; taskStatus?: null; serviceUpdateStatus?: null; nodeStatus?: null; nodeRole?: null; networkAllocated?: null; serviceEndpoint?: null; taskNetworks?: null; taskNetworkPhase?: null; serviceRollBack?: null; serviceRebalance?: null }|{ change?: "putSecret"; putCluster?: null; putNode?: null; putService?: null; putTask?: null; putNetwork?: null; putSecret: swarm.objects.Secret.$Shape; putConfig?: null; "delete"?: null; taskDesired?: null; taskAssign?: null; taskStatus?: null; serviceUpdateStatus?: null; nodeStatus?: null; nodeRole?: null; networkAllocated?: null; serviceEndpoint?: null; taskNetworks?: null; taskNetworkPhase?: null; serviceRollBack?: null; serviceRebalance?: null }|{ change?: "putConfig"; putCluster?: null; putNode?: null; putService?: null; putTask?: null; putNetwork?: null; putSecret?: null; putConfig: swarm.objects.Config.$Shape; "delete"?: null; taskDesired?: null; taskAssign?: null; taskStatus?: null; serviceUpdateStatus?: null; nodeStatus?: null; nodeRole?: null; networkAllocated?: null; serviceEndpoint?: null; taskNetworks?: null; taskNetworkPhase?: null; serviceRollBack?: null; serviceRebalance?: null }|{ change?: "delete"; putCluster?: null; putNode?: null; putService?: null; putTask?: null; putNetwork?: null; putSecret?: null; putConfig?: null; "delete": swarm.objects.Delete.$Shape; taskDesired?: null; taskAssign?: null; taskStatus?: null; serviceUpdateStatus?: null; nodeStatus?: null; nodeRole?: null; networkAllocated?: null; serviceEndpoint?: null; taskNetworks?: null; taskNetworkPhase?: null; serviceRollBack?: null; serviceRebalance?: null }|{ change?: "taskDesired"; putCluster?: null; putNode?: null; putService?: null; putTask?: null; putNetwork?: null; putSecret?: null; putConfig?: null; "delete"?: null; taskDesired: swarm.objects.TaskDesired.$Shape; taskAssign?: null; taskStatus?: null; serviceUpdateStatus?: null; nodeStatus?: null; nodeRole?: null; networkAllocated?: null; serviceEndpoint?: null; taskNetworks?: null; taskNetworkPhase?: null; serviceRollBack?: null; serviceRebalance?: null }|{ change?: "taskAssign"; putCluster?: null; putNode?: null; putService?: null; putTask?: null; putNetwork?: null; putSecret?: null; putConfig?: null; "delete"?: null; taskDesired?: null; taskAssign: swarm.objects.TaskAssign.$Shape; taskStatus?: null; serviceUpdateStatus?: null; nodeStatus?: null; nodeRole?: null; networkAllocated?: null; serviceEndpoint?: null; taskNetworks?: null; taskNetworkPhase?: null; serviceRollBack?: null; serviceRebalance?: null }|{ change?: "taskStatus"; putCluster?: null; putNode?: null; putService?: null; putTask?: null; putNetwork?: null; putSecret?: null; putConfig?: null; "delete"?: null; taskDesired?: null; taskAssign?: null; taskStatus: swarm.objects.TaskStatus.$Shape; serviceUpdateStatus?: null; nodeStatus?: null; nodeRole?: null; networkAllocated?: null; serviceEndpoint?: null; taskNetworks?: null; taskNetworkPhase?: null; serviceRollBack?: null; serviceRebalance?: null }|{ change?: "serviceUpdateStatus"; putCluster?: null; putNode?: null; putService?: null; putTask?: null; putNetwork?: null; putSecret?: null; putConfig?: null; "delete"?: null; taskDesired?: null; taskAssign?: null; taskStatus?: null; serviceUpdateStatus: swarm.objects.ServiceUpdateStatus.$Shape; nodeStatus?: null; nodeRole?: null; networkAllocated?: null; serviceEndpoint?: null; taskNetworks?: null; taskNetworkPhase?: null; serviceRollBack?: null; serviceRebalance?: null }|{ change?: "nodeStatus"; putCluster?: null; putNode?: null; putService?: null; putTask?: null; putNetwork?: null; putSecret?: null; putConfig?: null; "delete"?: null; taskDesired?: null; taskAssign?: null; taskStatus?: null; serviceUpdateStatus?: null; nodeStatus: swarm.objects.NodeStatus.$Shape; nodeRole?: null; networkAllocated?: null; serviceEndpoint?: null; taskNetworks?: null; taskNetworkPhase?: null; serviceRollBack?: null; serviceRebalance?: null }|{ change?: "nodeRole"; putCluster?: null; putNode?: null; putService?: null; putTask?: null; putNetwork?: null; putSecret?: null; putConfig?: null; "delete"?: null; taskDesired?: null; taskAssign?: null; taskStatus?: null; serviceUpdateStatus?: null; nodeStatus?: null; nodeRole: swarm.objects.NodeRole.$Shape; networkAllocated?: null; serviceEndpoint?: null; taskNetworks?: null; taskNetworkPhase?: null; serviceRollBack?: null; serviceRebalance?: null }|{ change?: "networkAllocated"; putCluster?: null; putNode?: null; putService?: null; putTask?: null; putNetwork?: null; putSecret?: null; putConfig?: null; "delete"?: null; taskDesired?: null; taskAssign?: null; taskStatus?: null; serviceUpdateStatus?: null; nodeStatus?: null; nodeRole?: null; networkAllocated: swarm.objects.NetworkAllocated.$Shape; serviceEndpoint?: null; taskNetworks?: null; taskNetworkPhase?: null; serviceRollBack?: null; serviceRebalance?: null }|{ change?: "serviceEndpoint"; putCluster?: null; putNode?: null; putService?: null; putTask?: null; putNetwork?: null; putSecret?: null; putConfig?: null; "delete"?: null; taskDesired?: null; taskAssign?: null; taskStatus?: null; serviceUpdateStatus?: null; nodeStatus?: null; nodeRole?: null; networkAllocated?: null; serviceEndpoint: swarm.objects.ServiceEndpoint.$Shape; taskNetworks?: null; taskNetworkPhase?: null; serviceRollBack?: null; serviceRebalance?: null }|{ change?: "taskNetworks"; putCluster?: null; putNode?: null; putService?: null; putTask?: null; putNetwork?: null; putSecret?: null; putConfig?: null; "delete"?: null; taskDesired?: null; taskAssign?: null; taskStatus?: null; serviceUpdateStatus?: null; nodeStatus?: null; nodeRole?: null; networkAllocated?: null; serviceEndpoint?: null; taskNetworks: swarm.objects.TaskNetworks.$Shape; taskNetworkPhase?: null; serviceRollBack?: null; serviceRebalance?: null }|{ change?: "taskNetworkPhase"; putCluster?: null; putNode?: null; putService?: null; putTask?: null; putNetwork?: null; putSecret?: null; putConfig?: null; "delete"?: null; taskDesired?: null; taskAssign?: null; taskStatus?: null; serviceUpdateStatus?: null; nodeStatus?: null; nodeRole?: null; networkAllocated?: null; serviceEndpoint?: null; taskNetworks?: null; taskNetworkPhase: swarm.objects.TaskNetworkPhase.$Shape; serviceRollBack?: null; serviceRebalance?: null }|{ change?: "serviceRollBack"; putCluster?: null; putNode?: null; putService?: null; putTask?: null; putNetwork?: null; putSecret?: null; putConfig?: null; "delete"?: null; taskDesired?: null; taskAssign?: null; taskStatus?: null; serviceUpdateStatus?: null; nodeStatus?: null; nodeRole?: null; networkAllocated?: null; serviceEndpoint?: null; taskNetworks?: null; taskNetworkPhase?: null; serviceRollBack: swarm.objects.ServiceRollBack.$Shape; serviceRebalance?: null }|{ change?: "serviceRebalance"; putCluster?: null; putNode?: null; putService?: null; putTask?: null; putNetwork?: null; putSecret?: null; putConfig?: null; "delete"?: null; taskDesired?: null; taskAssign?: null; taskStatus?: null; serviceUpdateStatus?: null; nodeStatus?: null; nodeRole?: null; networkAllocated?: null; serviceEndpoint?: null; taskNetworks?: null; taskNetworkPhase?: null; serviceRollBack?: null; serviceRebalance: swarm.objects.ServiceRebalance.$Shape })
            );
        }

        interface IRequester extends swarm.objects.Requester.$Properties {
        }

        class Requester {
            constructor(properties?: swarm.objects.Requester.$Properties);
            $unknowns?: Uint8Array[];
            nodeId: string;
            door: string;
            actor: string;
            static create(properties: swarm.objects.Requester.$Shape): swarm.objects.Requester & swarm.objects.Requester.$Shape;
            static create(properties?: swarm.objects.Requester.$Properties): swarm.objects.Requester;
            static encode(message: swarm.objects.Requester.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): swarm.objects.Requester & swarm.objects.Requester.$Shape;
            static getTypeUrl(prefix?: string): string;
        }

        namespace Requester {
            interface $Properties {
                nodeId?: (string|null);
                door?: (string|null);
                actor?: (string|null);
                $unknowns?: Uint8Array[];
            }
            type $Shape = swarm.objects.Requester.$Properties;
        }

        interface ITransaction extends swarm.objects.Transaction.$Properties {
        }

        class Transaction {
            constructor(properties?: swarm.objects.Transaction.$Properties);
            $unknowns?: Uint8Array[];
            format: number;
            requestId: string;
            atMs: number;
            isClient: boolean;
            preconditions: swarm.objects.Precondition.$Properties[];
            changes: swarm.objects.Change.$Properties[];
            resultJson: string;
            specs: Uint8Array[];
            requester?: (swarm.objects.Requester.$Properties|null);
            static create(properties: swarm.objects.Transaction.$Shape): swarm.objects.Transaction & swarm.objects.Transaction.$Shape;
            static create(properties?: swarm.objects.Transaction.$Properties): swarm.objects.Transaction;
            static encode(message: swarm.objects.Transaction.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): swarm.objects.Transaction & swarm.objects.Transaction.$Shape;
            static getTypeUrl(prefix?: string): string;
        }

        namespace Transaction {
            interface $Properties {
                format?: (number|null);
                requestId?: (string|null);
                atMs?: (number|null);
                isClient?: (boolean|null);
                preconditions?: (swarm.objects.Precondition.$Properties[]|null);
                changes?: (swarm.objects.Change.$Properties[]|null);
                resultJson?: (string|null);
                specs?: (Uint8Array[]|null);
                requester?: (swarm.objects.Requester.$Properties|null);
                $unknowns?: Uint8Array[];
            }
            type $Shape = {
              format?: number|null;
              requestId?: string|null;
              atMs?: number|null;
              isClient?: boolean|null;
              preconditions?: swarm.objects.Precondition.$Shape[]|null;
              changes?: swarm.objects.Change.$Shape[]|null;
              resultJson?: string|null;
              specs?: Uint8Array[]|null;
              requester?: swarm.objects.Requester.$Shape|null;
              $unknowns?: Uint8Array[];
            };
        }

        interface IStoredResult extends swarm.objects.StoredResult.$Properties {
        }

        class StoredResult {
            constructor(properties?: swarm.objects.StoredResult.$Properties);
            $unknowns?: Uint8Array[];
            requestId: string;
            atMs: number;
            index: number;
            resultJson: string;
            static create(properties: swarm.objects.StoredResult.$Shape): swarm.objects.StoredResult & swarm.objects.StoredResult.$Shape;
            static create(properties?: swarm.objects.StoredResult.$Properties): swarm.objects.StoredResult;
            static encode(message: swarm.objects.StoredResult.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): swarm.objects.StoredResult & swarm.objects.StoredResult.$Shape;
            static getTypeUrl(prefix?: string): string;
        }

        namespace StoredResult {
            interface $Properties {
                requestId?: (string|null);
                atMs?: (number|null);
                index?: (number|null);
                resultJson?: (string|null);
                $unknowns?: Uint8Array[];
            }
            type $Shape = swarm.objects.StoredResult.$Properties;
        }

        interface ISnapshotRecord extends swarm.objects.SnapshotRecord.$Properties {
        }

        class SnapshotRecord {
            constructor(properties?: swarm.objects.SnapshotRecord.$Properties);
            $unknowns?: Uint8Array[];
            header?: (swarm.objects.SnapshotHeader.$Properties|null);
            specJson?: (Uint8Array|null);
            cluster?: (swarm.objects.Cluster.$Properties|null);
            node?: (swarm.objects.Node.$Properties|null);
            service?: (swarm.objects.Service.$Properties|null);
            task?: (swarm.objects.Task.$Properties|null);
            network?: (swarm.objects.Network.$Properties|null);
            secret?: (swarm.objects.Secret.$Properties|null);
            config?: (swarm.objects.Config.$Properties|null);
            result?: (swarm.objects.StoredResult.$Properties|null);
            end?: (swarm.objects.SnapshotEnd.$Properties|null);
            record?: ("header"|"specJson"|"cluster"|"node"|"service"|"task"|"network"|"secret"|"config"|"result"|"end");
            static create(properties: swarm.objects.SnapshotRecord.$Shape): swarm.objects.SnapshotRecord & swarm.objects.SnapshotRecord.$Shape;
            static create(properties?: swarm.objects.SnapshotRecord.$Properties): swarm.objects.SnapshotRecord;
            static encode(message: swarm.objects.SnapshotRecord.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): swarm.objects.SnapshotRecord & swarm.objects.SnapshotRecord.$Shape;
            static getTypeUrl(prefix?: string): string;
        }

        namespace SnapshotRecord {
            interface $Properties {
                header?: (swarm.objects.SnapshotHeader.$Properties|null);
                specJson?: (Uint8Array|null);
                cluster?: (swarm.objects.Cluster.$Properties|null);
                node?: (swarm.objects.Node.$Properties|null);
                service?: (swarm.objects.Service.$Properties|null);
                task?: (swarm.objects.Task.$Properties|null);
                network?: (swarm.objects.Network.$Properties|null);
                secret?: (swarm.objects.Secret.$Properties|null);
                config?: (swarm.objects.Config.$Properties|null);
                result?: (swarm.objects.StoredResult.$Properties|null);
                end?: (swarm.objects.SnapshotEnd.$Properties|null);
                record?: ("header"|"specJson"|"cluster"|"node"|"service"|"task"|"network"|"secret"|"config"|"result"|"end");
                $unknowns?: Uint8Array[];
            }
            type $Shape = {
              header?: swarm.objects.SnapshotHeader.$Shape|null;
              specJson?: Uint8Array|null;
              cluster?: swarm.objects.Cluster.$Shape|null;
              node?: swarm.objects.Node.$Shape|null;
              service?: swarm.objects.Service.$Shape|null;
              task?: swarm.objects.Task.$Shape|null;
              network?: swarm.objects.Network.$Shape|null;
              secret?: swarm.objects.Secret.$Shape|null;
              config?: swarm.objects.Config.$Shape|null;
              result?: swarm.objects.StoredResult.$Shape|null;
              end?: swarm.objects.SnapshotEnd.$Shape|null;
              $unknowns?: Uint8Array[];
            } & (
              ({ record?: undefined; header?: null; specJson?: null; cluster?: null; node?: null; service?: null; task?: null; network?: null; secret?: null; config?: null; result?: null; end?: null }|{ record?: "header"; header: swarm.objects.SnapshotHeader.$Shape; specJson?: null; cluster?: null; node?: null; service?: null; task?: null; network?: null; secret?: null; config?: null; result?: null; end?: null }|{ record?: "specJson"; header?: null; specJson: Uint8Array; cluster?: null; node?: null; service?: null; task?: null; network?: null; secret?: null; config?: null; result?: null; end?: null }|{ record?: "cluster"; header?: null; specJson?: null; cluster: swarm.objects.Cluster.$Shape; node?: null; service?: null; task?: null; network?: null; secret?: null; config?: null; result?: null; end?: null }|{ record?: "node"; header?: null; specJson?: null; cluster?: null; node: swarm.objects.Node.$Shape; service?: null; task?: null; network?: null; secret?: null; config?: null; result?: null; end?: null }|{ record?: "service"; header?: null; specJson?: null; cluster?: null; node?: null; service: swarm.objects.Service.$Shape; task?: null; network?: null; secret?: null; config?: null; result?: null; end?: null }|{ record?: "task"; header?: null; specJson?: null; cluster?: null; node?: null; service?: null; task: swarm.objects.Task.$Shape; network?: null; secret?: null; config?: null; result?: null; end?: null }|{ record?: "network"; header?: null; specJson?: null; cluster?: null; node?: null; service?: null; task?: null; network: swarm.objects.Network.$Shape; secret?: null; config?: null; result?: null; end?: null }|{ record?: "secret"; header?: null; specJson?: null; cluster?: null; node?: null; service?: null; task?: null; network?: null; secret: swarm.objects.Secret.$Shape; config?: null; result?: null; end?: null }|{ record?: "config"; header?: null; specJson?: null; cluster?: null; node?: null; service?: null; task?: null; network?: null; secret?: null; config: swarm.objects.Config.$Shape; result?: null; end?: null }|{ record?: "result"; header?: null; specJson?: null; cluster?: null; node?: null; service?: null; task?: null; network?: null; secret?: null; config?: null; result: swarm.objects.StoredResult.$Shape; end?: null }|{ record?: "end"; header?: null; specJson?: null; cluster?: null; node?: null; service?: null; task?: null; network?: null; secret?: null; config?: null; result?: null; end: swarm.objects.SnapshotEnd.$Shape })
            );
        }

        interface ISnapshotHeader extends swarm.objects.SnapshotHeader.$Properties {
        }

        class SnapshotHeader {
            constructor(properties?: swarm.objects.SnapshotHeader.$Properties);
            $unknowns?: Uint8Array[];
            format: number;
            index: number;
            static create(properties: swarm.objects.SnapshotHeader.$Shape): swarm.objects.SnapshotHeader & swarm.objects.SnapshotHeader.$Shape;
            static create(properties?: swarm.objects.SnapshotHeader.$Properties): swarm.objects.SnapshotHeader;
            static encode(message: swarm.objects.SnapshotHeader.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): swarm.objects.SnapshotHeader & swarm.objects.SnapshotHeader.$Shape;
            static getTypeUrl(prefix?: string): string;
        }

        namespace SnapshotHeader {
            interface $Properties {
                format?: (number|null);
                index?: (number|null);
                $unknowns?: Uint8Array[];
            }
            type $Shape = swarm.objects.SnapshotHeader.$Properties;
        }

        interface ISnapshotEnd extends swarm.objects.SnapshotEnd.$Properties {
        }

        class SnapshotEnd {
            constructor(properties?: swarm.objects.SnapshotEnd.$Properties);
            $unknowns?: Uint8Array[];
            recordCount: number;
            crc32: number;
            static create(properties: swarm.objects.SnapshotEnd.$Shape): swarm.objects.SnapshotEnd & swarm.objects.SnapshotEnd.$Shape;
            static create(properties?: swarm.objects.SnapshotEnd.$Properties): swarm.objects.SnapshotEnd;
            static encode(message: swarm.objects.SnapshotEnd.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): swarm.objects.SnapshotEnd & swarm.objects.SnapshotEnd.$Shape;
            static getTypeUrl(prefix?: string): string;
        }

        namespace SnapshotEnd {
            interface $Properties {
                recordCount?: (number|null);
                crc32?: (number|null);
                $unknowns?: Uint8Array[];
            }
            type $Shape = swarm.objects.SnapshotEnd.$Properties;
        }
    }

    namespace net {

        interface INetworksRequest extends swarm.net.NetworksRequest.$Properties {
        }

        class NetworksRequest {
            constructor(properties?: swarm.net.NetworksRequest.$Properties);
            $unknowns?: Uint8Array[];
            complete: boolean;
            appliesTo: number;
            resultsIn: number;
            bodyJson: Uint8Array;
            static create(properties: swarm.net.NetworksRequest.$Shape): swarm.net.NetworksRequest & swarm.net.NetworksRequest.$Shape;
            static create(properties?: swarm.net.NetworksRequest.$Properties): swarm.net.NetworksRequest;
            static encode(message: swarm.net.NetworksRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): swarm.net.NetworksRequest & swarm.net.NetworksRequest.$Shape;
            static getTypeUrl(prefix?: string): string;
        }

        namespace NetworksRequest {
            interface $Properties {
                complete?: (boolean|null);
                appliesTo?: (number|null);
                resultsIn?: (number|null);
                bodyJson?: (Uint8Array|null);
                $unknowns?: Uint8Array[];
            }
            type $Shape = swarm.net.NetworksRequest.$Properties;
        }

        interface INetworksReply extends swarm.net.NetworksReply.$Properties {
        }

        class NetworksReply {
            constructor(properties?: swarm.net.NetworksReply.$Properties);
            $unknowns?: Uint8Array[];
            appliedIndex: number;
            needsComplete: boolean;
            tunnel?: (swarm.net.Tunnel.$Properties|null);
            static create(properties: swarm.net.NetworksReply.$Shape): swarm.net.NetworksReply & swarm.net.NetworksReply.$Shape;
            static create(properties?: swarm.net.NetworksReply.$Properties): swarm.net.NetworksReply;
            static encode(message: swarm.net.NetworksReply.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): swarm.net.NetworksReply & swarm.net.NetworksReply.$Shape;
            static getTypeUrl(prefix?: string): string;
        }

        namespace NetworksReply {
            interface $Properties {
                appliedIndex?: (number|null);
                needsComplete?: (boolean|null);
                tunnel?: (swarm.net.Tunnel.$Properties|null);
                $unknowns?: Uint8Array[];
            }
            type $Shape = swarm.net.NetworksReply.$Properties;
        }

        interface ITunnel extends swarm.net.Tunnel.$Properties {
        }

        class Tunnel {
            constructor(properties?: swarm.net.Tunnel.$Properties);
            $unknowns?: Uint8Array[];
            implementation: string;
            publicKey: string;
            pairKeys: string[];
            static create(properties: swarm.net.Tunnel.$Shape): swarm.net.Tunnel & swarm.net.Tunnel.$Shape;
            static create(properties?: swarm.net.Tunnel.$Properties): swarm.net.Tunnel;
            static encode(message: swarm.net.Tunnel.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): swarm.net.Tunnel & swarm.net.Tunnel.$Shape;
            static getTypeUrl(prefix?: string): string;
        }

        namespace Tunnel {
            interface $Properties {
                implementation?: (string|null);
                publicKey?: (string|null);
                pairKeys?: (string[]|null);
                $unknowns?: Uint8Array[];
            }
            type $Shape = swarm.net.Tunnel.$Properties;
        }

        interface IFlowsRequest extends swarm.net.FlowsRequest.$Properties {
        }

        class FlowsRequest {
            constructor(properties?: swarm.net.FlowsRequest.$Properties);
            $unknowns?: Uint8Array[];
            containerId: string;
            taskId: string;
            static create(properties: swarm.net.FlowsRequest.$Shape): swarm.net.FlowsRequest & swarm.net.FlowsRequest.$Shape;
            static create(properties?: swarm.net.FlowsRequest.$Properties): swarm.net.FlowsRequest;
            static encode(message: swarm.net.FlowsRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): swarm.net.FlowsRequest & swarm.net.FlowsRequest.$Shape;
            static getTypeUrl(prefix?: string): string;
        }

        namespace FlowsRequest {
            interface $Properties {
                containerId?: (string|null);
                taskId?: (string|null);
                $unknowns?: Uint8Array[];
            }
            type $Shape = swarm.net.FlowsRequest.$Properties;
        }

        interface IFlowsReply extends swarm.net.FlowsReply.$Properties {
        }

        class FlowsReply {
            constructor(properties?: swarm.net.FlowsReply.$Properties);
            $unknowns?: Uint8Array[];
            open: number;
            drainMs: number;
            static create(properties: swarm.net.FlowsReply.$Shape): swarm.net.FlowsReply & swarm.net.FlowsReply.$Shape;
            static create(properties?: swarm.net.FlowsReply.$Properties): swarm.net.FlowsReply;
            static encode(message: swarm.net.FlowsReply.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): swarm.net.FlowsReply & swarm.net.FlowsReply.$Shape;
            static getTypeUrl(prefix?: string): string;
        }

        namespace FlowsReply {
            interface $Properties {
                open?: (number|null);
                drainMs?: (number|null);
                $unknowns?: Uint8Array[];
            }
            type $Shape = swarm.net.FlowsReply.$Properties;
        }

        interface IVerifyRequest extends swarm.net.VerifyRequest.$Properties {
        }

        class VerifyRequest {
            constructor(properties?: swarm.net.VerifyRequest.$Properties);
            $unknowns?: Uint8Array[];
            networkIds: string[];
            repair: boolean;
            static create(properties: swarm.net.VerifyRequest.$Shape): swarm.net.VerifyRequest & swarm.net.VerifyRequest.$Shape;
            static create(properties?: swarm.net.VerifyRequest.$Properties): swarm.net.VerifyRequest;
            static encode(message: swarm.net.VerifyRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): swarm.net.VerifyRequest & swarm.net.VerifyRequest.$Shape;
            static getTypeUrl(prefix?: string): string;
        }

        namespace VerifyRequest {
            interface $Properties {
                networkIds?: (string[]|null);
                repair?: (boolean|null);
                $unknowns?: Uint8Array[];
            }
            type $Shape = swarm.net.VerifyRequest.$Properties;
        }

        interface IDrift extends swarm.net.Drift.$Properties {
        }

        class Drift {
            constructor(properties?: swarm.net.Drift.$Properties);
            $unknowns?: Uint8Array[];
            networkId: string;
            netns: string;
            what: string;
            repaired: boolean;
            static create(properties: swarm.net.Drift.$Shape): swarm.net.Drift & swarm.net.Drift.$Shape;
            static create(properties?: swarm.net.Drift.$Properties): swarm.net.Drift;
            static encode(message: swarm.net.Drift.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): swarm.net.Drift & swarm.net.Drift.$Shape;
            static getTypeUrl(prefix?: string): string;
        }

        namespace Drift {
            interface $Properties {
                networkId?: (string|null);
                netns?: (string|null);
                what?: (string|null);
                repaired?: (boolean|null);
                $unknowns?: Uint8Array[];
            }
            type $Shape = swarm.net.Drift.$Properties;
        }

        interface IVerifyReply extends swarm.net.VerifyReply.$Properties {
        }

        class VerifyReply {
            constructor(properties?: swarm.net.VerifyReply.$Properties);
            $unknowns?: Uint8Array[];
            drifts: swarm.net.Drift.$Properties[];
            appliedIndex: number;
            tunnel?: (swarm.net.Tunnel.$Properties|null);
            proxied: swarm.net.ProxiedPort.$Properties[];
            static create(properties: swarm.net.VerifyReply.$Shape): swarm.net.VerifyReply & swarm.net.VerifyReply.$Shape;
            static create(properties?: swarm.net.VerifyReply.$Properties): swarm.net.VerifyReply;
            static encode(message: swarm.net.VerifyReply.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): swarm.net.VerifyReply & swarm.net.VerifyReply.$Shape;
            static getTypeUrl(prefix?: string): string;
        }

        namespace VerifyReply {
            interface $Properties {
                drifts?: (swarm.net.Drift.$Properties[]|null);
                appliedIndex?: (number|null);
                tunnel?: (swarm.net.Tunnel.$Properties|null);
                proxied?: (swarm.net.ProxiedPort.$Properties[]|null);
                $unknowns?: Uint8Array[];
            }
            type $Shape = swarm.net.VerifyReply.$Properties;
        }

        interface IProxiedPort extends swarm.net.ProxiedPort.$Properties {
        }

        class ProxiedPort {
            constructor(properties?: swarm.net.ProxiedPort.$Properties);
            $unknowns?: Uint8Array[];
            serviceId: string;
            taskId: string;
            protocol: string;
            targetPort: number;
            static create(properties: swarm.net.ProxiedPort.$Shape): swarm.net.ProxiedPort & swarm.net.ProxiedPort.$Shape;
            static create(properties?: swarm.net.ProxiedPort.$Properties): swarm.net.ProxiedPort;
            static encode(message: swarm.net.ProxiedPort.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): swarm.net.ProxiedPort & swarm.net.ProxiedPort.$Shape;
            static getTypeUrl(prefix?: string): string;
        }

        namespace ProxiedPort {
            interface $Properties {
                serviceId?: (string|null);
                taskId?: (string|null);
                protocol?: (string|null);
                targetPort?: (number|null);
                $unknowns?: Uint8Array[];
            }
            type $Shape = swarm.net.ProxiedPort.$Properties;
        }

        interface IHostPort extends swarm.net.HostPort.$Properties {
        }

        class HostPort {
            constructor(properties?: swarm.net.HostPort.$Properties);
            $unknowns?: Uint8Array[];
            protocol: string;
            targetPort: number;
            publishedPort: number;
            static create(properties: swarm.net.HostPort.$Shape): swarm.net.HostPort & swarm.net.HostPort.$Shape;
            static create(properties?: swarm.net.HostPort.$Properties): swarm.net.HostPort;
            static encode(message: swarm.net.HostPort.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): swarm.net.HostPort & swarm.net.HostPort.$Shape;
            static getTypeUrl(prefix?: string): string;
        }

        namespace HostPort {
            interface $Properties {
                protocol?: (string|null);
                targetPort?: (number|null);
                publishedPort?: (number|null);
                $unknowns?: Uint8Array[];
            }
            type $Shape = swarm.net.HostPort.$Properties;
        }

        interface IAttachRequest extends swarm.net.AttachRequest.$Properties {
        }

        class AttachRequest {
            constructor(properties?: swarm.net.AttachRequest.$Properties);
            $unknowns?: Uint8Array[];
            containerId: string;
            mode: string;
            hostPorts: swarm.net.HostPort.$Properties[];
            taskId: string;
            networkIds: string[];
            dnsServers: string[];
            dnsSearch: string[];
            dnsOptions: string[];
            static create(properties: swarm.net.AttachRequest.$Shape): swarm.net.AttachRequest & swarm.net.AttachRequest.$Shape;
            static create(properties?: swarm.net.AttachRequest.$Properties): swarm.net.AttachRequest;
            static encode(message: swarm.net.AttachRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): swarm.net.AttachRequest & swarm.net.AttachRequest.$Shape;
            static getTypeUrl(prefix?: string): string;
        }

        namespace AttachRequest {
            interface $Properties {
                containerId?: (string|null);
                mode?: (string|null);
                hostPorts?: (swarm.net.HostPort.$Properties[]|null);
                taskId?: (string|null);
                networkIds?: (string[]|null);
                dnsServers?: (string[]|null);
                dnsSearch?: (string[]|null);
                dnsOptions?: (string[]|null);
                $unknowns?: Uint8Array[];
            }
            type $Shape = swarm.net.AttachRequest.$Properties;
        }

        interface IAttachReply extends swarm.net.AttachReply.$Properties {
        }

        class AttachReply {
            constructor(properties?: swarm.net.AttachReply.$Properties);
            $unknowns?: Uint8Array[];
            netnsPath: string;
            address: string;
            gateway: string;
            mac: string;
            hostPorts: swarm.net.HostPort.$Properties[];
            nameservers: string[];
            search: string[];
            options: string[];
            networks: swarm.net.ConnectedNetwork.$Properties[];
            static create(properties: swarm.net.AttachReply.$Shape): swarm.net.AttachReply & swarm.net.AttachReply.$Shape;
            static create(properties?: swarm.net.AttachReply.$Properties): swarm.net.AttachReply;
            static encode(message: swarm.net.AttachReply.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): swarm.net.AttachReply & swarm.net.AttachReply.$Shape;
            static getTypeUrl(prefix?: string): string;
        }

        namespace AttachReply {
            interface $Properties {
                netnsPath?: (string|null);
                address?: (string|null);
                gateway?: (string|null);
                mac?: (string|null);
                hostPorts?: (swarm.net.HostPort.$Properties[]|null);
                nameservers?: (string[]|null);
                search?: (string[]|null);
                options?: (string[]|null);
                networks?: (swarm.net.ConnectedNetwork.$Properties[]|null);
                $unknowns?: Uint8Array[];
            }
            type $Shape = swarm.net.AttachReply.$Properties;
        }

        interface IConnectedNetwork extends swarm.net.ConnectedNetwork.$Properties {
        }

        class ConnectedNetwork {
            constructor(properties?: swarm.net.ConnectedNetwork.$Properties);
            $unknowns?: Uint8Array[];
            networkId: string;
            name: string;
            address: string;
            prefixLength: number;
            gateway: string;
            address6: string;
            prefixLength6: number;
            gateway6: string;
            mac: string;
            static create(properties: swarm.net.ConnectedNetwork.$Shape): swarm.net.ConnectedNetwork & swarm.net.ConnectedNetwork.$Shape;
            static create(properties?: swarm.net.ConnectedNetwork.$Properties): swarm.net.ConnectedNetwork;
            static encode(message: swarm.net.ConnectedNetwork.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): swarm.net.ConnectedNetwork & swarm.net.ConnectedNetwork.$Shape;
            static getTypeUrl(prefix?: string): string;
        }

        namespace ConnectedNetwork {
            interface $Properties {
                networkId?: (string|null);
                name?: (string|null);
                address?: (string|null);
                prefixLength?: (number|null);
                gateway?: (string|null);
                address6?: (string|null);
                prefixLength6?: (number|null);
                gateway6?: (string|null);
                mac?: (string|null);
                $unknowns?: Uint8Array[];
            }
            type $Shape = swarm.net.ConnectedNetwork.$Properties;
        }

        interface IConnectRequest extends swarm.net.ConnectRequest.$Properties {
        }

        class ConnectRequest {
            constructor(properties?: swarm.net.ConnectRequest.$Properties);
            $unknowns?: Uint8Array[];
            containerId: string;
            taskId: string;
            networkId: string;
            dnsServers: string[];
            dnsSearch: string[];
            dnsOptions: string[];
            static create(properties: swarm.net.ConnectRequest.$Shape): swarm.net.ConnectRequest & swarm.net.ConnectRequest.$Shape;
            static create(properties?: swarm.net.ConnectRequest.$Properties): swarm.net.ConnectRequest;
            static encode(message: swarm.net.ConnectRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): swarm.net.ConnectRequest & swarm.net.ConnectRequest.$Shape;
            static getTypeUrl(prefix?: string): string;
        }

        namespace ConnectRequest {
            interface $Properties {
                containerId?: (string|null);
                taskId?: (string|null);
                networkId?: (string|null);
                dnsServers?: (string[]|null);
                dnsSearch?: (string[]|null);
                dnsOptions?: (string[]|null);
                $unknowns?: Uint8Array[];
            }
            type $Shape = swarm.net.ConnectRequest.$Properties;
        }

        interface IConnectReply extends swarm.net.ConnectReply.$Properties {
        }

        class ConnectReply {
            constructor(properties?: swarm.net.ConnectReply.$Properties);
            $unknowns?: Uint8Array[];
            network?: (swarm.net.ConnectedNetwork.$Properties|null);
            nameservers: string[];
            search: string[];
            options: string[];
            static create(properties: swarm.net.ConnectReply.$Shape): swarm.net.ConnectReply & swarm.net.ConnectReply.$Shape;
            static create(properties?: swarm.net.ConnectReply.$Properties): swarm.net.ConnectReply;
            static encode(message: swarm.net.ConnectReply.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): swarm.net.ConnectReply & swarm.net.ConnectReply.$Shape;
            static getTypeUrl(prefix?: string): string;
        }

        namespace ConnectReply {
            interface $Properties {
                network?: (swarm.net.ConnectedNetwork.$Properties|null);
                nameservers?: (string[]|null);
                search?: (string[]|null);
                options?: (string[]|null);
                $unknowns?: Uint8Array[];
            }
            type $Shape = swarm.net.ConnectReply.$Properties;
        }

        interface IDisconnectRequest extends swarm.net.DisconnectRequest.$Properties {
        }

        class DisconnectRequest {
            constructor(properties?: swarm.net.DisconnectRequest.$Properties);
            $unknowns?: Uint8Array[];
            containerId: string;
            taskId: string;
            static create(properties: swarm.net.DisconnectRequest.$Shape): swarm.net.DisconnectRequest & swarm.net.DisconnectRequest.$Shape;
            static create(properties?: swarm.net.DisconnectRequest.$Properties): swarm.net.DisconnectRequest;
            static encode(message: swarm.net.DisconnectRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): swarm.net.DisconnectRequest & swarm.net.DisconnectRequest.$Shape;
            static getTypeUrl(prefix?: string): string;
        }

        namespace DisconnectRequest {
            interface $Properties {
                containerId?: (string|null);
                taskId?: (string|null);
                $unknowns?: Uint8Array[];
            }
            type $Shape = swarm.net.DisconnectRequest.$Properties;
        }

        interface IDisconnectReply extends swarm.net.DisconnectReply.$Properties {
        }

        class DisconnectReply {
            constructor(properties?: swarm.net.DisconnectReply.$Properties);
            $unknowns?: Uint8Array[];
            static create(properties: swarm.net.DisconnectReply.$Shape): swarm.net.DisconnectReply & swarm.net.DisconnectReply.$Shape;
            static create(properties?: swarm.net.DisconnectReply.$Properties): swarm.net.DisconnectReply;
            static encode(message: swarm.net.DisconnectReply.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): swarm.net.DisconnectReply & swarm.net.DisconnectReply.$Shape;
            static getTypeUrl(prefix?: string): string;
        }

        namespace DisconnectReply {
            interface $Properties {
                $unknowns?: Uint8Array[];
            }
            type $Shape = swarm.net.DisconnectReply.$Properties;
        }

        interface IReleaseRequest extends swarm.net.ReleaseRequest.$Properties {
        }

        class ReleaseRequest {
            constructor(properties?: swarm.net.ReleaseRequest.$Properties);
            $unknowns?: Uint8Array[];
            containerId: string;
            static create(properties: swarm.net.ReleaseRequest.$Shape): swarm.net.ReleaseRequest & swarm.net.ReleaseRequest.$Shape;
            static create(properties?: swarm.net.ReleaseRequest.$Properties): swarm.net.ReleaseRequest;
            static encode(message: swarm.net.ReleaseRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): swarm.net.ReleaseRequest & swarm.net.ReleaseRequest.$Shape;
            static getTypeUrl(prefix?: string): string;
        }

        namespace ReleaseRequest {
            interface $Properties {
                containerId?: (string|null);
                $unknowns?: Uint8Array[];
            }
            type $Shape = swarm.net.ReleaseRequest.$Properties;
        }

        interface IReleaseReply extends swarm.net.ReleaseReply.$Properties {
        }

        class ReleaseReply {
            constructor(properties?: swarm.net.ReleaseReply.$Properties);
            $unknowns?: Uint8Array[];
            static create(properties: swarm.net.ReleaseReply.$Shape): swarm.net.ReleaseReply & swarm.net.ReleaseReply.$Shape;
            static create(properties?: swarm.net.ReleaseReply.$Properties): swarm.net.ReleaseReply;
            static encode(message: swarm.net.ReleaseReply.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): swarm.net.ReleaseReply & swarm.net.ReleaseReply.$Shape;
            static getTypeUrl(prefix?: string): string;
        }

        namespace ReleaseReply {
            interface $Properties {
                $unknowns?: Uint8Array[];
            }
            type $Shape = swarm.net.ReleaseReply.$Properties;
        }

        interface ISyncRequest extends swarm.net.SyncRequest.$Properties {
        }

        class SyncRequest {
            constructor(properties?: swarm.net.SyncRequest.$Properties);
            $unknowns?: Uint8Array[];
            containerIds: string[];
            static create(properties: swarm.net.SyncRequest.$Shape): swarm.net.SyncRequest & swarm.net.SyncRequest.$Shape;
            static create(properties?: swarm.net.SyncRequest.$Properties): swarm.net.SyncRequest;
            static encode(message: swarm.net.SyncRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): swarm.net.SyncRequest & swarm.net.SyncRequest.$Shape;
            static getTypeUrl(prefix?: string): string;
        }

        namespace SyncRequest {
            interface $Properties {
                containerIds?: (string[]|null);
                $unknowns?: Uint8Array[];
            }
            type $Shape = swarm.net.SyncRequest.$Properties;
        }

        interface ISyncReply extends swarm.net.SyncReply.$Properties {
        }

        class SyncReply {
            constructor(properties?: swarm.net.SyncReply.$Properties);
            $unknowns?: Uint8Array[];
            released: string[];
            static create(properties: swarm.net.SyncReply.$Shape): swarm.net.SyncReply & swarm.net.SyncReply.$Shape;
            static create(properties?: swarm.net.SyncReply.$Properties): swarm.net.SyncReply;
            static encode(message: swarm.net.SyncReply.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): swarm.net.SyncReply & swarm.net.SyncReply.$Shape;
            static getTypeUrl(prefix?: string): string;
        }

        namespace SyncReply {
            interface $Properties {
                released?: (string[]|null);
                $unknowns?: Uint8Array[];
            }
            type $Shape = swarm.net.SyncReply.$Properties;
        }

        interface IStatusRequest extends swarm.net.StatusRequest.$Properties {
        }

        class StatusRequest {
            constructor(properties?: swarm.net.StatusRequest.$Properties);
            $unknowns?: Uint8Array[];
            static create(properties: swarm.net.StatusRequest.$Shape): swarm.net.StatusRequest & swarm.net.StatusRequest.$Shape;
            static create(properties?: swarm.net.StatusRequest.$Properties): swarm.net.StatusRequest;
            static encode(message: swarm.net.StatusRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): swarm.net.StatusRequest & swarm.net.StatusRequest.$Shape;
            static getTypeUrl(prefix?: string): string;
        }

        namespace StatusRequest {
            interface $Properties {
                $unknowns?: Uint8Array[];
            }
            type $Shape = swarm.net.StatusRequest.$Properties;
        }

        interface IStatusReply extends swarm.net.StatusReply.$Properties {
        }

        class StatusReply {
            constructor(properties?: swarm.net.StatusReply.$Properties);
            $unknowns?: Uint8Array[];
            bridge: string;
            subnet: string;
            problems: string[];
            attachments: swarm.net.AttachReply.$Properties[];
            plane?: (swarm.net.PlaneStatus.$Properties|null);
            wireguard: string;
            static create(properties: swarm.net.StatusReply.$Shape): swarm.net.StatusReply & swarm.net.StatusReply.$Shape;
            static create(properties?: swarm.net.StatusReply.$Properties): swarm.net.StatusReply;
            static encode(message: swarm.net.StatusReply.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): swarm.net.StatusReply & swarm.net.StatusReply.$Shape;
            static getTypeUrl(prefix?: string): string;
        }

        namespace StatusReply {
            interface $Properties {
                bridge?: (string|null);
                subnet?: (string|null);
                problems?: (string[]|null);
                attachments?: (swarm.net.AttachReply.$Properties[]|null);
                plane?: (swarm.net.PlaneStatus.$Properties|null);
                wireguard?: (string|null);
                $unknowns?: Uint8Array[];
            }
            type $Shape = swarm.net.StatusReply.$Properties;
        }

        interface IPlaneStatus extends swarm.net.PlaneStatus.$Properties {
        }

        class PlaneStatus {
            constructor(properties?: swarm.net.PlaneStatus.$Properties);
            $unknowns?: Uint8Array[];
            kernel: string;
            networksIndex: number;
            appliedIndex: number;
            checks: number;
            drifts: number;
            rounds: number;
            failures: number;
            tunnel?: (swarm.net.Tunnel.$Properties|null);
            proxied: swarm.net.ProxiedPort.$Properties[];
            static create(properties: swarm.net.PlaneStatus.$Shape): swarm.net.PlaneStatus & swarm.net.PlaneStatus.$Shape;
            static create(properties?: swarm.net.PlaneStatus.$Properties): swarm.net.PlaneStatus;
            static encode(message: swarm.net.PlaneStatus.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): swarm.net.PlaneStatus & swarm.net.PlaneStatus.$Shape;
            static getTypeUrl(prefix?: string): string;
        }

        namespace PlaneStatus {
            interface $Properties {
                kernel?: (string|null);
                networksIndex?: (number|null);
                appliedIndex?: (number|null);
                checks?: (number|null);
                drifts?: (number|null);
                rounds?: (number|null);
                failures?: (number|null);
                tunnel?: (swarm.net.Tunnel.$Properties|null);
                proxied?: (swarm.net.ProxiedPort.$Properties[]|null);
                $unknowns?: Uint8Array[];
            }
            type $Shape = swarm.net.PlaneStatus.$Properties;
        }
    }

    namespace tunnel {

        interface ITunnelFrame extends swarm.tunnel.TunnelFrame.$Properties {
        }

        class TunnelFrame {
            constructor(properties?: swarm.tunnel.TunnelFrame.$Properties);
            $unknowns?: Uint8Array[];
            tunnelId: string;
            data: Uint8Array;
            end: boolean;
            static create(properties: swarm.tunnel.TunnelFrame.$Shape): swarm.tunnel.TunnelFrame & swarm.tunnel.TunnelFrame.$Shape;
            static create(properties?: swarm.tunnel.TunnelFrame.$Properties): swarm.tunnel.TunnelFrame;
            static encode(message: swarm.tunnel.TunnelFrame.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): swarm.tunnel.TunnelFrame & swarm.tunnel.TunnelFrame.$Shape;
            static getTypeUrl(prefix?: string): string;
        }

        namespace TunnelFrame {
            interface $Properties {
                tunnelId?: (string|null);
                data?: (Uint8Array|null);
                end?: (boolean|null);
                $unknowns?: Uint8Array[];
            }
            type $Shape = swarm.tunnel.TunnelFrame.$Properties;
        }
    }
}
