// Generated from the .proto files by scripts/gen-proto.mjs. Never edited.
import * as $protobuf from "protobufjs";

export namespace containerd {

    namespace services {

        namespace containers {

            namespace v1 {

                interface IContainer extends containerd.services.containers.v1.Container.$Properties {
                }

                class Container {
                    constructor(properties?: containerd.services.containers.v1.Container.$Properties);
                    $unknowns?: Uint8Array[];
                    id: string;
                    labels: { [k: string]: string };
                    image: string;
                    runtime?: (containerd.services.containers.v1.Container.Runtime.$Properties|null);
                    spec?: (google.protobuf.Any.$Properties|null);
                    snapshotter: string;
                    snapshotKey: string;
                    createdAt?: (google.protobuf.Timestamp.$Properties|null);
                    updatedAt?: (google.protobuf.Timestamp.$Properties|null);
                    extensions: { [k: string]: google.protobuf.Any.$Properties };
                    static create(properties: containerd.services.containers.v1.Container.$Shape): containerd.services.containers.v1.Container & containerd.services.containers.v1.Container.$Shape;
                    static create(properties?: containerd.services.containers.v1.Container.$Properties): containerd.services.containers.v1.Container;
                    static encode(message: containerd.services.containers.v1.Container.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
                    static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): containerd.services.containers.v1.Container & containerd.services.containers.v1.Container.$Shape;
                    static getTypeUrl(prefix?: string): string;
                }

                namespace Container {
                    interface $Properties {
                        id?: (string|null);
                        labels?: ({ [k: string]: string }|null);
                        image?: (string|null);
                        runtime?: (containerd.services.containers.v1.Container.Runtime.$Properties|null);
                        spec?: (google.protobuf.Any.$Properties|null);
                        snapshotter?: (string|null);
                        snapshotKey?: (string|null);
                        createdAt?: (google.protobuf.Timestamp.$Properties|null);
                        updatedAt?: (google.protobuf.Timestamp.$Properties|null);
                        extensions?: ({ [k: string]: google.protobuf.Any.$Properties }|null);
                        $unknowns?: Uint8Array[];
                    }
                    type $Shape = containerd.services.containers.v1.Container.$Properties;

                    interface IRuntime extends containerd.services.containers.v1.Container.Runtime.$Properties {
                    }

                    class Runtime {
                        constructor(properties?: containerd.services.containers.v1.Container.Runtime.$Properties);
                        $unknowns?: Uint8Array[];
                        name: string;
                        options?: (google.protobuf.Any.$Properties|null);
                        static create(properties: containerd.services.containers.v1.Container.Runtime.$Shape): containerd.services.containers.v1.Container.Runtime & containerd.services.containers.v1.Container.Runtime.$Shape;
                        static create(properties?: containerd.services.containers.v1.Container.Runtime.$Properties): containerd.services.containers.v1.Container.Runtime;
                        static encode(message: containerd.services.containers.v1.Container.Runtime.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
                        static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): containerd.services.containers.v1.Container.Runtime & containerd.services.containers.v1.Container.Runtime.$Shape;
                        static getTypeUrl(prefix?: string): string;
                    }

                    namespace Runtime {
                        interface $Properties {
                            name?: (string|null);
                            options?: (google.protobuf.Any.$Properties|null);
                            $unknowns?: Uint8Array[];
                        }
                        type $Shape = containerd.services.containers.v1.Container.Runtime.$Properties;
                    }
                }

                interface IGetContainerRequest extends containerd.services.containers.v1.GetContainerRequest.$Properties {
                }

                class GetContainerRequest {
                    constructor(properties?: containerd.services.containers.v1.GetContainerRequest.$Properties);
                    $unknowns?: Uint8Array[];
                    id: string;
                    static create(properties: containerd.services.containers.v1.GetContainerRequest.$Shape): containerd.services.containers.v1.GetContainerRequest & containerd.services.containers.v1.GetContainerRequest.$Shape;
                    static create(properties?: containerd.services.containers.v1.GetContainerRequest.$Properties): containerd.services.containers.v1.GetContainerRequest;
                    static encode(message: containerd.services.containers.v1.GetContainerRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
                    static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): containerd.services.containers.v1.GetContainerRequest & containerd.services.containers.v1.GetContainerRequest.$Shape;
                    static getTypeUrl(prefix?: string): string;
                }

                namespace GetContainerRequest {
                    interface $Properties {
                        id?: (string|null);
                        $unknowns?: Uint8Array[];
                    }
                    type $Shape = containerd.services.containers.v1.GetContainerRequest.$Properties;
                }

                interface IGetContainerResponse extends containerd.services.containers.v1.GetContainerResponse.$Properties {
                }

                class GetContainerResponse {
                    constructor(properties?: containerd.services.containers.v1.GetContainerResponse.$Properties);
                    $unknowns?: Uint8Array[];
                    container?: (containerd.services.containers.v1.Container.$Properties|null);
                    static create(properties: containerd.services.containers.v1.GetContainerResponse.$Shape): containerd.services.containers.v1.GetContainerResponse & containerd.services.containers.v1.GetContainerResponse.$Shape;
                    static create(properties?: containerd.services.containers.v1.GetContainerResponse.$Properties): containerd.services.containers.v1.GetContainerResponse;
                    static encode(message: containerd.services.containers.v1.GetContainerResponse.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
                    static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): containerd.services.containers.v1.GetContainerResponse & containerd.services.containers.v1.GetContainerResponse.$Shape;
                    static getTypeUrl(prefix?: string): string;
                }

                namespace GetContainerResponse {
                    interface $Properties {
                        container?: (containerd.services.containers.v1.Container.$Properties|null);
                        $unknowns?: Uint8Array[];
                    }
                    type $Shape = containerd.services.containers.v1.GetContainerResponse.$Properties;
                }

                interface IListContainersRequest extends containerd.services.containers.v1.ListContainersRequest.$Properties {
                }

                class ListContainersRequest {
                    constructor(properties?: containerd.services.containers.v1.ListContainersRequest.$Properties);
                    $unknowns?: Uint8Array[];
                    filters: string[];
                    static create(properties: containerd.services.containers.v1.ListContainersRequest.$Shape): containerd.services.containers.v1.ListContainersRequest & containerd.services.containers.v1.ListContainersRequest.$Shape;
                    static create(properties?: containerd.services.containers.v1.ListContainersRequest.$Properties): containerd.services.containers.v1.ListContainersRequest;
                    static encode(message: containerd.services.containers.v1.ListContainersRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
                    static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): containerd.services.containers.v1.ListContainersRequest & containerd.services.containers.v1.ListContainersRequest.$Shape;
                    static getTypeUrl(prefix?: string): string;
                }

                namespace ListContainersRequest {
                    interface $Properties {
                        filters?: (string[]|null);
                        $unknowns?: Uint8Array[];
                    }
                    type $Shape = containerd.services.containers.v1.ListContainersRequest.$Properties;
                }

                interface IListContainerMessage extends containerd.services.containers.v1.ListContainerMessage.$Properties {
                }

                class ListContainerMessage {
                    constructor(properties?: containerd.services.containers.v1.ListContainerMessage.$Properties);
                    $unknowns?: Uint8Array[];
                    container?: (containerd.services.containers.v1.Container.$Properties|null);
                    static create(properties: containerd.services.containers.v1.ListContainerMessage.$Shape): containerd.services.containers.v1.ListContainerMessage & containerd.services.containers.v1.ListContainerMessage.$Shape;
                    static create(properties?: containerd.services.containers.v1.ListContainerMessage.$Properties): containerd.services.containers.v1.ListContainerMessage;
                    static encode(message: containerd.services.containers.v1.ListContainerMessage.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
                    static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): containerd.services.containers.v1.ListContainerMessage & containerd.services.containers.v1.ListContainerMessage.$Shape;
                    static getTypeUrl(prefix?: string): string;
                }

                namespace ListContainerMessage {
                    interface $Properties {
                        container?: (containerd.services.containers.v1.Container.$Properties|null);
                        $unknowns?: Uint8Array[];
                    }
                    type $Shape = containerd.services.containers.v1.ListContainerMessage.$Properties;
                }

                interface ICreateContainerRequest extends containerd.services.containers.v1.CreateContainerRequest.$Properties {
                }

                class CreateContainerRequest {
                    constructor(properties?: containerd.services.containers.v1.CreateContainerRequest.$Properties);
                    $unknowns?: Uint8Array[];
                    container?: (containerd.services.containers.v1.Container.$Properties|null);
                    static create(properties: containerd.services.containers.v1.CreateContainerRequest.$Shape): containerd.services.containers.v1.CreateContainerRequest & containerd.services.containers.v1.CreateContainerRequest.$Shape;
                    static create(properties?: containerd.services.containers.v1.CreateContainerRequest.$Properties): containerd.services.containers.v1.CreateContainerRequest;
                    static encode(message: containerd.services.containers.v1.CreateContainerRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
                    static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): containerd.services.containers.v1.CreateContainerRequest & containerd.services.containers.v1.CreateContainerRequest.$Shape;
                    static getTypeUrl(prefix?: string): string;
                }

                namespace CreateContainerRequest {
                    interface $Properties {
                        container?: (containerd.services.containers.v1.Container.$Properties|null);
                        $unknowns?: Uint8Array[];
                    }
                    type $Shape = containerd.services.containers.v1.CreateContainerRequest.$Properties;
                }

                interface ICreateContainerResponse extends containerd.services.containers.v1.CreateContainerResponse.$Properties {
                }

                class CreateContainerResponse {
                    constructor(properties?: containerd.services.containers.v1.CreateContainerResponse.$Properties);
                    $unknowns?: Uint8Array[];
                    container?: (containerd.services.containers.v1.Container.$Properties|null);
                    static create(properties: containerd.services.containers.v1.CreateContainerResponse.$Shape): containerd.services.containers.v1.CreateContainerResponse & containerd.services.containers.v1.CreateContainerResponse.$Shape;
                    static create(properties?: containerd.services.containers.v1.CreateContainerResponse.$Properties): containerd.services.containers.v1.CreateContainerResponse;
                    static encode(message: containerd.services.containers.v1.CreateContainerResponse.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
                    static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): containerd.services.containers.v1.CreateContainerResponse & containerd.services.containers.v1.CreateContainerResponse.$Shape;
                    static getTypeUrl(prefix?: string): string;
                }

                namespace CreateContainerResponse {
                    interface $Properties {
                        container?: (containerd.services.containers.v1.Container.$Properties|null);
                        $unknowns?: Uint8Array[];
                    }
                    type $Shape = containerd.services.containers.v1.CreateContainerResponse.$Properties;
                }

                interface IUpdateContainerRequest extends containerd.services.containers.v1.UpdateContainerRequest.$Properties {
                }

                class UpdateContainerRequest {
                    constructor(properties?: containerd.services.containers.v1.UpdateContainerRequest.$Properties);
                    $unknowns?: Uint8Array[];
                    container?: (containerd.services.containers.v1.Container.$Properties|null);
                    updateMask?: (google.protobuf.FieldMask.$Properties|null);
                    static create(properties: containerd.services.containers.v1.UpdateContainerRequest.$Shape): containerd.services.containers.v1.UpdateContainerRequest & containerd.services.containers.v1.UpdateContainerRequest.$Shape;
                    static create(properties?: containerd.services.containers.v1.UpdateContainerRequest.$Properties): containerd.services.containers.v1.UpdateContainerRequest;
                    static encode(message: containerd.services.containers.v1.UpdateContainerRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
                    static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): containerd.services.containers.v1.UpdateContainerRequest & containerd.services.containers.v1.UpdateContainerRequest.$Shape;
                    static getTypeUrl(prefix?: string): string;
                }

                namespace UpdateContainerRequest {
                    interface $Properties {
                        container?: (containerd.services.containers.v1.Container.$Properties|null);
                        updateMask?: (google.protobuf.FieldMask.$Properties|null);
                        $unknowns?: Uint8Array[];
                    }
                    type $Shape = containerd.services.containers.v1.UpdateContainerRequest.$Properties;
                }

                interface IUpdateContainerResponse extends containerd.services.containers.v1.UpdateContainerResponse.$Properties {
                }

                class UpdateContainerResponse {
                    constructor(properties?: containerd.services.containers.v1.UpdateContainerResponse.$Properties);
                    $unknowns?: Uint8Array[];
                    container?: (containerd.services.containers.v1.Container.$Properties|null);
                    static create(properties: containerd.services.containers.v1.UpdateContainerResponse.$Shape): containerd.services.containers.v1.UpdateContainerResponse & containerd.services.containers.v1.UpdateContainerResponse.$Shape;
                    static create(properties?: containerd.services.containers.v1.UpdateContainerResponse.$Properties): containerd.services.containers.v1.UpdateContainerResponse;
                    static encode(message: containerd.services.containers.v1.UpdateContainerResponse.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
                    static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): containerd.services.containers.v1.UpdateContainerResponse & containerd.services.containers.v1.UpdateContainerResponse.$Shape;
                    static getTypeUrl(prefix?: string): string;
                }

                namespace UpdateContainerResponse {
                    interface $Properties {
                        container?: (containerd.services.containers.v1.Container.$Properties|null);
                        $unknowns?: Uint8Array[];
                    }
                    type $Shape = containerd.services.containers.v1.UpdateContainerResponse.$Properties;
                }

                interface IDeleteContainerRequest extends containerd.services.containers.v1.DeleteContainerRequest.$Properties {
                }

                class DeleteContainerRequest {
                    constructor(properties?: containerd.services.containers.v1.DeleteContainerRequest.$Properties);
                    $unknowns?: Uint8Array[];
                    id: string;
                    static create(properties: containerd.services.containers.v1.DeleteContainerRequest.$Shape): containerd.services.containers.v1.DeleteContainerRequest & containerd.services.containers.v1.DeleteContainerRequest.$Shape;
                    static create(properties?: containerd.services.containers.v1.DeleteContainerRequest.$Properties): containerd.services.containers.v1.DeleteContainerRequest;
                    static encode(message: containerd.services.containers.v1.DeleteContainerRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
                    static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): containerd.services.containers.v1.DeleteContainerRequest & containerd.services.containers.v1.DeleteContainerRequest.$Shape;
                    static getTypeUrl(prefix?: string): string;
                }

                namespace DeleteContainerRequest {
                    interface $Properties {
                        id?: (string|null);
                        $unknowns?: Uint8Array[];
                    }
                    type $Shape = containerd.services.containers.v1.DeleteContainerRequest.$Properties;
                }
            }
        }

        namespace content {

            namespace v1 {

                interface IInfo extends containerd.services.content.v1.Info.$Properties {
                }

                class Info {
                    constructor(properties?: containerd.services.content.v1.Info.$Properties);
                    $unknowns?: Uint8Array[];
                    digest: string;
                    size: number;
                    labels: { [k: string]: string };
                    static create(properties: containerd.services.content.v1.Info.$Shape): containerd.services.content.v1.Info & containerd.services.content.v1.Info.$Shape;
                    static create(properties?: containerd.services.content.v1.Info.$Properties): containerd.services.content.v1.Info;
                    static encode(message: containerd.services.content.v1.Info.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
                    static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): containerd.services.content.v1.Info & containerd.services.content.v1.Info.$Shape;
                    static getTypeUrl(prefix?: string): string;
                }

                namespace Info {
                    interface $Properties {
                        digest?: (string|null);
                        size?: (number|null);
                        labels?: ({ [k: string]: string }|null);
                        $unknowns?: Uint8Array[];
                    }
                    type $Shape = containerd.services.content.v1.Info.$Properties;
                }

                interface IInfoRequest extends containerd.services.content.v1.InfoRequest.$Properties {
                }

                class InfoRequest {
                    constructor(properties?: containerd.services.content.v1.InfoRequest.$Properties);
                    $unknowns?: Uint8Array[];
                    digest: string;
                    static create(properties: containerd.services.content.v1.InfoRequest.$Shape): containerd.services.content.v1.InfoRequest & containerd.services.content.v1.InfoRequest.$Shape;
                    static create(properties?: containerd.services.content.v1.InfoRequest.$Properties): containerd.services.content.v1.InfoRequest;
                    static encode(message: containerd.services.content.v1.InfoRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
                    static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): containerd.services.content.v1.InfoRequest & containerd.services.content.v1.InfoRequest.$Shape;
                    static getTypeUrl(prefix?: string): string;
                }

                namespace InfoRequest {
                    interface $Properties {
                        digest?: (string|null);
                        $unknowns?: Uint8Array[];
                    }
                    type $Shape = containerd.services.content.v1.InfoRequest.$Properties;
                }

                interface IInfoResponse extends containerd.services.content.v1.InfoResponse.$Properties {
                }

                class InfoResponse {
                    constructor(properties?: containerd.services.content.v1.InfoResponse.$Properties);
                    $unknowns?: Uint8Array[];
                    info?: (containerd.services.content.v1.Info.$Properties|null);
                    static create(properties: containerd.services.content.v1.InfoResponse.$Shape): containerd.services.content.v1.InfoResponse & containerd.services.content.v1.InfoResponse.$Shape;
                    static create(properties?: containerd.services.content.v1.InfoResponse.$Properties): containerd.services.content.v1.InfoResponse;
                    static encode(message: containerd.services.content.v1.InfoResponse.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
                    static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): containerd.services.content.v1.InfoResponse & containerd.services.content.v1.InfoResponse.$Shape;
                    static getTypeUrl(prefix?: string): string;
                }

                namespace InfoResponse {
                    interface $Properties {
                        info?: (containerd.services.content.v1.Info.$Properties|null);
                        $unknowns?: Uint8Array[];
                    }
                    type $Shape = containerd.services.content.v1.InfoResponse.$Properties;
                }

                interface IUpdateRequest extends containerd.services.content.v1.UpdateRequest.$Properties {
                }

                class UpdateRequest {
                    constructor(properties?: containerd.services.content.v1.UpdateRequest.$Properties);
                    $unknowns?: Uint8Array[];
                    info?: (containerd.services.content.v1.Info.$Properties|null);
                    updateMask?: (google.protobuf.FieldMask.$Properties|null);
                    static create(properties: containerd.services.content.v1.UpdateRequest.$Shape): containerd.services.content.v1.UpdateRequest & containerd.services.content.v1.UpdateRequest.$Shape;
                    static create(properties?: containerd.services.content.v1.UpdateRequest.$Properties): containerd.services.content.v1.UpdateRequest;
                    static encode(message: containerd.services.content.v1.UpdateRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
                    static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): containerd.services.content.v1.UpdateRequest & containerd.services.content.v1.UpdateRequest.$Shape;
                    static getTypeUrl(prefix?: string): string;
                }

                namespace UpdateRequest {
                    interface $Properties {
                        info?: (containerd.services.content.v1.Info.$Properties|null);
                        updateMask?: (google.protobuf.FieldMask.$Properties|null);
                        $unknowns?: Uint8Array[];
                    }
                    type $Shape = containerd.services.content.v1.UpdateRequest.$Properties;
                }

                interface IUpdateResponse extends containerd.services.content.v1.UpdateResponse.$Properties {
                }

                class UpdateResponse {
                    constructor(properties?: containerd.services.content.v1.UpdateResponse.$Properties);
                    $unknowns?: Uint8Array[];
                    info?: (containerd.services.content.v1.Info.$Properties|null);
                    static create(properties: containerd.services.content.v1.UpdateResponse.$Shape): containerd.services.content.v1.UpdateResponse & containerd.services.content.v1.UpdateResponse.$Shape;
                    static create(properties?: containerd.services.content.v1.UpdateResponse.$Properties): containerd.services.content.v1.UpdateResponse;
                    static encode(message: containerd.services.content.v1.UpdateResponse.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
                    static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): containerd.services.content.v1.UpdateResponse & containerd.services.content.v1.UpdateResponse.$Shape;
                    static getTypeUrl(prefix?: string): string;
                }

                namespace UpdateResponse {
                    interface $Properties {
                        info?: (containerd.services.content.v1.Info.$Properties|null);
                        $unknowns?: Uint8Array[];
                    }
                    type $Shape = containerd.services.content.v1.UpdateResponse.$Properties;
                }

                interface IReadContentRequest extends containerd.services.content.v1.ReadContentRequest.$Properties {
                }

                class ReadContentRequest {
                    constructor(properties?: containerd.services.content.v1.ReadContentRequest.$Properties);
                    $unknowns?: Uint8Array[];
                    digest: string;
                    offset: number;
                    size: number;
                    static create(properties: containerd.services.content.v1.ReadContentRequest.$Shape): containerd.services.content.v1.ReadContentRequest & containerd.services.content.v1.ReadContentRequest.$Shape;
                    static create(properties?: containerd.services.content.v1.ReadContentRequest.$Properties): containerd.services.content.v1.ReadContentRequest;
                    static encode(message: containerd.services.content.v1.ReadContentRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
                    static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): containerd.services.content.v1.ReadContentRequest & containerd.services.content.v1.ReadContentRequest.$Shape;
                    static getTypeUrl(prefix?: string): string;
                }

                namespace ReadContentRequest {
                    interface $Properties {
                        digest?: (string|null);
                        offset?: (number|null);
                        size?: (number|null);
                        $unknowns?: Uint8Array[];
                    }
                    type $Shape = containerd.services.content.v1.ReadContentRequest.$Properties;
                }

                interface IReadContentResponse extends containerd.services.content.v1.ReadContentResponse.$Properties {
                }

                class ReadContentResponse {
                    constructor(properties?: containerd.services.content.v1.ReadContentResponse.$Properties);
                    $unknowns?: Uint8Array[];
                    offset: number;
                    data: Uint8Array;
                    static create(properties: containerd.services.content.v1.ReadContentResponse.$Shape): containerd.services.content.v1.ReadContentResponse & containerd.services.content.v1.ReadContentResponse.$Shape;
                    static create(properties?: containerd.services.content.v1.ReadContentResponse.$Properties): containerd.services.content.v1.ReadContentResponse;
                    static encode(message: containerd.services.content.v1.ReadContentResponse.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
                    static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): containerd.services.content.v1.ReadContentResponse & containerd.services.content.v1.ReadContentResponse.$Shape;
                    static getTypeUrl(prefix?: string): string;
                }

                namespace ReadContentResponse {
                    interface $Properties {
                        offset?: (number|null);
                        data?: (Uint8Array|null);
                        $unknowns?: Uint8Array[];
                    }
                    type $Shape = containerd.services.content.v1.ReadContentResponse.$Properties;
                }

                interface IAbortRequest extends containerd.services.content.v1.AbortRequest.$Properties {
                }

                class AbortRequest {
                    constructor(properties?: containerd.services.content.v1.AbortRequest.$Properties);
                    $unknowns?: Uint8Array[];
                    ref: string;
                    static create(properties: containerd.services.content.v1.AbortRequest.$Shape): containerd.services.content.v1.AbortRequest & containerd.services.content.v1.AbortRequest.$Shape;
                    static create(properties?: containerd.services.content.v1.AbortRequest.$Properties): containerd.services.content.v1.AbortRequest;
                    static encode(message: containerd.services.content.v1.AbortRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
                    static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): containerd.services.content.v1.AbortRequest & containerd.services.content.v1.AbortRequest.$Shape;
                    static getTypeUrl(prefix?: string): string;
                }

                namespace AbortRequest {
                    interface $Properties {
                        ref?: (string|null);
                        $unknowns?: Uint8Array[];
                    }
                    type $Shape = containerd.services.content.v1.AbortRequest.$Properties;
                }

                enum WriteAction {
                    STAT = 0,
                    WRITE = 1,
                    COMMIT = 2
                }

                interface IWriteContentRequest extends containerd.services.content.v1.WriteContentRequest.$Properties {
                }

                class WriteContentRequest {
                    constructor(properties?: containerd.services.content.v1.WriteContentRequest.$Properties);
                    $unknowns?: Uint8Array[];
                    action: containerd.services.content.v1.WriteAction;
                    ref: string;
                    total: number;
                    expected: string;
                    offset: number;
                    data: Uint8Array;
                    labels: { [k: string]: string };
                    static create(properties: containerd.services.content.v1.WriteContentRequest.$Shape): containerd.services.content.v1.WriteContentRequest & containerd.services.content.v1.WriteContentRequest.$Shape;
                    static create(properties?: containerd.services.content.v1.WriteContentRequest.$Properties): containerd.services.content.v1.WriteContentRequest;
                    static encode(message: containerd.services.content.v1.WriteContentRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
                    static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): containerd.services.content.v1.WriteContentRequest & containerd.services.content.v1.WriteContentRequest.$Shape;
                    static getTypeUrl(prefix?: string): string;
                }

                namespace WriteContentRequest {
                    interface $Properties {
                        action?: (containerd.services.content.v1.WriteAction|null);
                        ref?: (string|null);
                        total?: (number|null);
                        expected?: (string|null);
                        offset?: (number|null);
                        data?: (Uint8Array|null);
                        labels?: ({ [k: string]: string }|null);
                        $unknowns?: Uint8Array[];
                    }
                    type $Shape = containerd.services.content.v1.WriteContentRequest.$Properties;
                }

                interface IWriteContentResponse extends containerd.services.content.v1.WriteContentResponse.$Properties {
                }

                class WriteContentResponse {
                    constructor(properties?: containerd.services.content.v1.WriteContentResponse.$Properties);
                    $unknowns?: Uint8Array[];
                    action: containerd.services.content.v1.WriteAction;
                    offset: number;
                    total: number;
                    digest: string;
                    static create(properties: containerd.services.content.v1.WriteContentResponse.$Shape): containerd.services.content.v1.WriteContentResponse & containerd.services.content.v1.WriteContentResponse.$Shape;
                    static create(properties?: containerd.services.content.v1.WriteContentResponse.$Properties): containerd.services.content.v1.WriteContentResponse;
                    static encode(message: containerd.services.content.v1.WriteContentResponse.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
                    static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): containerd.services.content.v1.WriteContentResponse & containerd.services.content.v1.WriteContentResponse.$Shape;
                    static getTypeUrl(prefix?: string): string;
                }

                namespace WriteContentResponse {
                    interface $Properties {
                        action?: (containerd.services.content.v1.WriteAction|null);
                        offset?: (number|null);
                        total?: (number|null);
                        digest?: (string|null);
                        $unknowns?: Uint8Array[];
                    }
                    type $Shape = containerd.services.content.v1.WriteContentResponse.$Properties;
                }
            }
        }

        namespace diff {

            namespace v1 {

                interface IApplyRequest extends containerd.services.diff.v1.ApplyRequest.$Properties {
                }

                class ApplyRequest {
                    constructor(properties?: containerd.services.diff.v1.ApplyRequest.$Properties);
                    $unknowns?: Uint8Array[];
                    diff?: (containerd.types.Descriptor.$Properties|null);
                    mounts: containerd.types.Mount.$Properties[];
                    static create(properties: containerd.services.diff.v1.ApplyRequest.$Shape): containerd.services.diff.v1.ApplyRequest & containerd.services.diff.v1.ApplyRequest.$Shape;
                    static create(properties?: containerd.services.diff.v1.ApplyRequest.$Properties): containerd.services.diff.v1.ApplyRequest;
                    static encode(message: containerd.services.diff.v1.ApplyRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
                    static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): containerd.services.diff.v1.ApplyRequest & containerd.services.diff.v1.ApplyRequest.$Shape;
                    static getTypeUrl(prefix?: string): string;
                }

                namespace ApplyRequest {
                    interface $Properties {
                        diff?: (containerd.types.Descriptor.$Properties|null);
                        mounts?: (containerd.types.Mount.$Properties[]|null);
                        $unknowns?: Uint8Array[];
                    }
                    type $Shape = containerd.services.diff.v1.ApplyRequest.$Properties;
                }

                interface IApplyResponse extends containerd.services.diff.v1.ApplyResponse.$Properties {
                }

                class ApplyResponse {
                    constructor(properties?: containerd.services.diff.v1.ApplyResponse.$Properties);
                    $unknowns?: Uint8Array[];
                    applied?: (containerd.types.Descriptor.$Properties|null);
                    static create(properties: containerd.services.diff.v1.ApplyResponse.$Shape): containerd.services.diff.v1.ApplyResponse & containerd.services.diff.v1.ApplyResponse.$Shape;
                    static create(properties?: containerd.services.diff.v1.ApplyResponse.$Properties): containerd.services.diff.v1.ApplyResponse;
                    static encode(message: containerd.services.diff.v1.ApplyResponse.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
                    static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): containerd.services.diff.v1.ApplyResponse & containerd.services.diff.v1.ApplyResponse.$Shape;
                    static getTypeUrl(prefix?: string): string;
                }

                namespace ApplyResponse {
                    interface $Properties {
                        applied?: (containerd.types.Descriptor.$Properties|null);
                        $unknowns?: Uint8Array[];
                    }
                    type $Shape = containerd.services.diff.v1.ApplyResponse.$Properties;
                }
            }
        }

        namespace events {

            namespace v1 {

                interface ISubscribeRequest extends containerd.services.events.v1.SubscribeRequest.$Properties {
                }

                class SubscribeRequest {
                    constructor(properties?: containerd.services.events.v1.SubscribeRequest.$Properties);
                    $unknowns?: Uint8Array[];
                    filters: string[];
                    static create(properties: containerd.services.events.v1.SubscribeRequest.$Shape): containerd.services.events.v1.SubscribeRequest & containerd.services.events.v1.SubscribeRequest.$Shape;
                    static create(properties?: containerd.services.events.v1.SubscribeRequest.$Properties): containerd.services.events.v1.SubscribeRequest;
                    static encode(message: containerd.services.events.v1.SubscribeRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
                    static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): containerd.services.events.v1.SubscribeRequest & containerd.services.events.v1.SubscribeRequest.$Shape;
                    static getTypeUrl(prefix?: string): string;
                }

                namespace SubscribeRequest {
                    interface $Properties {
                        filters?: (string[]|null);
                        $unknowns?: Uint8Array[];
                    }
                    type $Shape = containerd.services.events.v1.SubscribeRequest.$Properties;
                }

                interface IEnvelope extends containerd.services.events.v1.Envelope.$Properties {
                }

                class Envelope {
                    constructor(properties?: containerd.services.events.v1.Envelope.$Properties);
                    $unknowns?: Uint8Array[];
                    timestamp?: (google.protobuf.Timestamp.$Properties|null);
                    namespace: string;
                    topic: string;
                    event?: (google.protobuf.Any.$Properties|null);
                    static create(properties: containerd.services.events.v1.Envelope.$Shape): containerd.services.events.v1.Envelope & containerd.services.events.v1.Envelope.$Shape;
                    static create(properties?: containerd.services.events.v1.Envelope.$Properties): containerd.services.events.v1.Envelope;
                    static encode(message: containerd.services.events.v1.Envelope.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
                    static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): containerd.services.events.v1.Envelope & containerd.services.events.v1.Envelope.$Shape;
                    static getTypeUrl(prefix?: string): string;
                }

                namespace Envelope {
                    interface $Properties {
                        timestamp?: (google.protobuf.Timestamp.$Properties|null);
                        namespace?: (string|null);
                        topic?: (string|null);
                        event?: (google.protobuf.Any.$Properties|null);
                        $unknowns?: Uint8Array[];
                    }
                    type $Shape = containerd.services.events.v1.Envelope.$Properties;
                }
            }
        }

        namespace images {

            namespace v1 {

                interface IImage extends containerd.services.images.v1.Image.$Properties {
                }

                class Image {
                    constructor(properties?: containerd.services.images.v1.Image.$Properties);
                    $unknowns?: Uint8Array[];
                    name: string;
                    labels: { [k: string]: string };
                    target?: (containerd.types.Descriptor.$Properties|null);
                    createdAt?: (google.protobuf.Timestamp.$Properties|null);
                    updatedAt?: (google.protobuf.Timestamp.$Properties|null);
                    static create(properties: containerd.services.images.v1.Image.$Shape): containerd.services.images.v1.Image & containerd.services.images.v1.Image.$Shape;
                    static create(properties?: containerd.services.images.v1.Image.$Properties): containerd.services.images.v1.Image;
                    static encode(message: containerd.services.images.v1.Image.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
                    static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): containerd.services.images.v1.Image & containerd.services.images.v1.Image.$Shape;
                    static getTypeUrl(prefix?: string): string;
                }

                namespace Image {
                    interface $Properties {
                        name?: (string|null);
                        labels?: ({ [k: string]: string }|null);
                        target?: (containerd.types.Descriptor.$Properties|null);
                        createdAt?: (google.protobuf.Timestamp.$Properties|null);
                        updatedAt?: (google.protobuf.Timestamp.$Properties|null);
                        $unknowns?: Uint8Array[];
                    }
                    type $Shape = containerd.services.images.v1.Image.$Properties;
                }

                interface IGetImageRequest extends containerd.services.images.v1.GetImageRequest.$Properties {
                }

                class GetImageRequest {
                    constructor(properties?: containerd.services.images.v1.GetImageRequest.$Properties);
                    $unknowns?: Uint8Array[];
                    name: string;
                    static create(properties: containerd.services.images.v1.GetImageRequest.$Shape): containerd.services.images.v1.GetImageRequest & containerd.services.images.v1.GetImageRequest.$Shape;
                    static create(properties?: containerd.services.images.v1.GetImageRequest.$Properties): containerd.services.images.v1.GetImageRequest;
                    static encode(message: containerd.services.images.v1.GetImageRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
                    static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): containerd.services.images.v1.GetImageRequest & containerd.services.images.v1.GetImageRequest.$Shape;
                    static getTypeUrl(prefix?: string): string;
                }

                namespace GetImageRequest {
                    interface $Properties {
                        name?: (string|null);
                        $unknowns?: Uint8Array[];
                    }
                    type $Shape = containerd.services.images.v1.GetImageRequest.$Properties;
                }

                interface IGetImageResponse extends containerd.services.images.v1.GetImageResponse.$Properties {
                }

                class GetImageResponse {
                    constructor(properties?: containerd.services.images.v1.GetImageResponse.$Properties);
                    $unknowns?: Uint8Array[];
                    image?: (containerd.services.images.v1.Image.$Properties|null);
                    static create(properties: containerd.services.images.v1.GetImageResponse.$Shape): containerd.services.images.v1.GetImageResponse & containerd.services.images.v1.GetImageResponse.$Shape;
                    static create(properties?: containerd.services.images.v1.GetImageResponse.$Properties): containerd.services.images.v1.GetImageResponse;
                    static encode(message: containerd.services.images.v1.GetImageResponse.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
                    static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): containerd.services.images.v1.GetImageResponse & containerd.services.images.v1.GetImageResponse.$Shape;
                    static getTypeUrl(prefix?: string): string;
                }

                namespace GetImageResponse {
                    interface $Properties {
                        image?: (containerd.services.images.v1.Image.$Properties|null);
                        $unknowns?: Uint8Array[];
                    }
                    type $Shape = containerd.services.images.v1.GetImageResponse.$Properties;
                }

                interface ICreateImageRequest extends containerd.services.images.v1.CreateImageRequest.$Properties {
                }

                class CreateImageRequest {
                    constructor(properties?: containerd.services.images.v1.CreateImageRequest.$Properties);
                    $unknowns?: Uint8Array[];
                    image?: (containerd.services.images.v1.Image.$Properties|null);
                    static create(properties: containerd.services.images.v1.CreateImageRequest.$Shape): containerd.services.images.v1.CreateImageRequest & containerd.services.images.v1.CreateImageRequest.$Shape;
                    static create(properties?: containerd.services.images.v1.CreateImageRequest.$Properties): containerd.services.images.v1.CreateImageRequest;
                    static encode(message: containerd.services.images.v1.CreateImageRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
                    static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): containerd.services.images.v1.CreateImageRequest & containerd.services.images.v1.CreateImageRequest.$Shape;
                    static getTypeUrl(prefix?: string): string;
                }

                namespace CreateImageRequest {
                    interface $Properties {
                        image?: (containerd.services.images.v1.Image.$Properties|null);
                        $unknowns?: Uint8Array[];
                    }
                    type $Shape = containerd.services.images.v1.CreateImageRequest.$Properties;
                }

                interface ICreateImageResponse extends containerd.services.images.v1.CreateImageResponse.$Properties {
                }

                class CreateImageResponse {
                    constructor(properties?: containerd.services.images.v1.CreateImageResponse.$Properties);
                    $unknowns?: Uint8Array[];
                    image?: (containerd.services.images.v1.Image.$Properties|null);
                    static create(properties: containerd.services.images.v1.CreateImageResponse.$Shape): containerd.services.images.v1.CreateImageResponse & containerd.services.images.v1.CreateImageResponse.$Shape;
                    static create(properties?: containerd.services.images.v1.CreateImageResponse.$Properties): containerd.services.images.v1.CreateImageResponse;
                    static encode(message: containerd.services.images.v1.CreateImageResponse.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
                    static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): containerd.services.images.v1.CreateImageResponse & containerd.services.images.v1.CreateImageResponse.$Shape;
                    static getTypeUrl(prefix?: string): string;
                }

                namespace CreateImageResponse {
                    interface $Properties {
                        image?: (containerd.services.images.v1.Image.$Properties|null);
                        $unknowns?: Uint8Array[];
                    }
                    type $Shape = containerd.services.images.v1.CreateImageResponse.$Properties;
                }

                interface IUpdateImageRequest extends containerd.services.images.v1.UpdateImageRequest.$Properties {
                }

                class UpdateImageRequest {
                    constructor(properties?: containerd.services.images.v1.UpdateImageRequest.$Properties);
                    $unknowns?: Uint8Array[];
                    image?: (containerd.services.images.v1.Image.$Properties|null);
                    updateMask?: (google.protobuf.FieldMask.$Properties|null);
                    static create(properties: containerd.services.images.v1.UpdateImageRequest.$Shape): containerd.services.images.v1.UpdateImageRequest & containerd.services.images.v1.UpdateImageRequest.$Shape;
                    static create(properties?: containerd.services.images.v1.UpdateImageRequest.$Properties): containerd.services.images.v1.UpdateImageRequest;
                    static encode(message: containerd.services.images.v1.UpdateImageRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
                    static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): containerd.services.images.v1.UpdateImageRequest & containerd.services.images.v1.UpdateImageRequest.$Shape;
                    static getTypeUrl(prefix?: string): string;
                }

                namespace UpdateImageRequest {
                    interface $Properties {
                        image?: (containerd.services.images.v1.Image.$Properties|null);
                        updateMask?: (google.protobuf.FieldMask.$Properties|null);
                        $unknowns?: Uint8Array[];
                    }
                    type $Shape = containerd.services.images.v1.UpdateImageRequest.$Properties;
                }

                interface IUpdateImageResponse extends containerd.services.images.v1.UpdateImageResponse.$Properties {
                }

                class UpdateImageResponse {
                    constructor(properties?: containerd.services.images.v1.UpdateImageResponse.$Properties);
                    $unknowns?: Uint8Array[];
                    image?: (containerd.services.images.v1.Image.$Properties|null);
                    static create(properties: containerd.services.images.v1.UpdateImageResponse.$Shape): containerd.services.images.v1.UpdateImageResponse & containerd.services.images.v1.UpdateImageResponse.$Shape;
                    static create(properties?: containerd.services.images.v1.UpdateImageResponse.$Properties): containerd.services.images.v1.UpdateImageResponse;
                    static encode(message: containerd.services.images.v1.UpdateImageResponse.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
                    static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): containerd.services.images.v1.UpdateImageResponse & containerd.services.images.v1.UpdateImageResponse.$Shape;
                    static getTypeUrl(prefix?: string): string;
                }

                namespace UpdateImageResponse {
                    interface $Properties {
                        image?: (containerd.services.images.v1.Image.$Properties|null);
                        $unknowns?: Uint8Array[];
                    }
                    type $Shape = containerd.services.images.v1.UpdateImageResponse.$Properties;
                }

                interface IListImagesRequest extends containerd.services.images.v1.ListImagesRequest.$Properties {
                }

                class ListImagesRequest {
                    constructor(properties?: containerd.services.images.v1.ListImagesRequest.$Properties);
                    $unknowns?: Uint8Array[];
                    filters: string[];
                    static create(properties: containerd.services.images.v1.ListImagesRequest.$Shape): containerd.services.images.v1.ListImagesRequest & containerd.services.images.v1.ListImagesRequest.$Shape;
                    static create(properties?: containerd.services.images.v1.ListImagesRequest.$Properties): containerd.services.images.v1.ListImagesRequest;
                    static encode(message: containerd.services.images.v1.ListImagesRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
                    static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): containerd.services.images.v1.ListImagesRequest & containerd.services.images.v1.ListImagesRequest.$Shape;
                    static getTypeUrl(prefix?: string): string;
                }

                namespace ListImagesRequest {
                    interface $Properties {
                        filters?: (string[]|null);
                        $unknowns?: Uint8Array[];
                    }
                    type $Shape = containerd.services.images.v1.ListImagesRequest.$Properties;
                }

                interface IListImagesResponse extends containerd.services.images.v1.ListImagesResponse.$Properties {
                }

                class ListImagesResponse {
                    constructor(properties?: containerd.services.images.v1.ListImagesResponse.$Properties);
                    $unknowns?: Uint8Array[];
                    images: containerd.services.images.v1.Image.$Properties[];
                    static create(properties: containerd.services.images.v1.ListImagesResponse.$Shape): containerd.services.images.v1.ListImagesResponse & containerd.services.images.v1.ListImagesResponse.$Shape;
                    static create(properties?: containerd.services.images.v1.ListImagesResponse.$Properties): containerd.services.images.v1.ListImagesResponse;
                    static encode(message: containerd.services.images.v1.ListImagesResponse.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
                    static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): containerd.services.images.v1.ListImagesResponse & containerd.services.images.v1.ListImagesResponse.$Shape;
                    static getTypeUrl(prefix?: string): string;
                }

                namespace ListImagesResponse {
                    interface $Properties {
                        images?: (containerd.services.images.v1.Image.$Properties[]|null);
                        $unknowns?: Uint8Array[];
                    }
                    type $Shape = containerd.services.images.v1.ListImagesResponse.$Properties;
                }

                interface IDeleteImageRequest extends containerd.services.images.v1.DeleteImageRequest.$Properties {
                }

                class DeleteImageRequest {
                    constructor(properties?: containerd.services.images.v1.DeleteImageRequest.$Properties);
                    $unknowns?: Uint8Array[];
                    name: string;
                    sync: boolean;
                    static create(properties: containerd.services.images.v1.DeleteImageRequest.$Shape): containerd.services.images.v1.DeleteImageRequest & containerd.services.images.v1.DeleteImageRequest.$Shape;
                    static create(properties?: containerd.services.images.v1.DeleteImageRequest.$Properties): containerd.services.images.v1.DeleteImageRequest;
                    static encode(message: containerd.services.images.v1.DeleteImageRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
                    static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): containerd.services.images.v1.DeleteImageRequest & containerd.services.images.v1.DeleteImageRequest.$Shape;
                    static getTypeUrl(prefix?: string): string;
                }

                namespace DeleteImageRequest {
                    interface $Properties {
                        name?: (string|null);
                        sync?: (boolean|null);
                        $unknowns?: Uint8Array[];
                    }
                    type $Shape = containerd.services.images.v1.DeleteImageRequest.$Properties;
                }
            }
        }

        namespace introspection {

            namespace v1 {

                interface IInitError extends containerd.services.introspection.v1.InitError.$Properties {
                }

                class InitError {
                    constructor(properties?: containerd.services.introspection.v1.InitError.$Properties);
                    $unknowns?: Uint8Array[];
                    code: number;
                    message: string;
                    static create(properties: containerd.services.introspection.v1.InitError.$Shape): containerd.services.introspection.v1.InitError & containerd.services.introspection.v1.InitError.$Shape;
                    static create(properties?: containerd.services.introspection.v1.InitError.$Properties): containerd.services.introspection.v1.InitError;
                    static encode(message: containerd.services.introspection.v1.InitError.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
                    static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): containerd.services.introspection.v1.InitError & containerd.services.introspection.v1.InitError.$Shape;
                    static getTypeUrl(prefix?: string): string;
                }

                namespace InitError {
                    interface $Properties {
                        code?: (number|null);
                        message?: (string|null);
                        $unknowns?: Uint8Array[];
                    }
                    type $Shape = containerd.services.introspection.v1.InitError.$Properties;
                }

                interface IPlugin extends containerd.services.introspection.v1.Plugin.$Properties {
                }

                class Plugin {
                    constructor(properties?: containerd.services.introspection.v1.Plugin.$Properties);
                    $unknowns?: Uint8Array[];
                    type: string;
                    id: string;
                    initErr?: (containerd.services.introspection.v1.InitError.$Properties|null);
                    static create(properties: containerd.services.introspection.v1.Plugin.$Shape): containerd.services.introspection.v1.Plugin & containerd.services.introspection.v1.Plugin.$Shape;
                    static create(properties?: containerd.services.introspection.v1.Plugin.$Properties): containerd.services.introspection.v1.Plugin;
                    static encode(message: containerd.services.introspection.v1.Plugin.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
                    static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): containerd.services.introspection.v1.Plugin & containerd.services.introspection.v1.Plugin.$Shape;
                    static getTypeUrl(prefix?: string): string;
                }

                namespace Plugin {
                    interface $Properties {
                        type?: (string|null);
                        id?: (string|null);
                        initErr?: (containerd.services.introspection.v1.InitError.$Properties|null);
                        $unknowns?: Uint8Array[];
                    }
                    type $Shape = containerd.services.introspection.v1.Plugin.$Properties;
                }

                interface IPluginsRequest extends containerd.services.introspection.v1.PluginsRequest.$Properties {
                }

                class PluginsRequest {
                    constructor(properties?: containerd.services.introspection.v1.PluginsRequest.$Properties);
                    $unknowns?: Uint8Array[];
                    filters: string[];
                    static create(properties: containerd.services.introspection.v1.PluginsRequest.$Shape): containerd.services.introspection.v1.PluginsRequest & containerd.services.introspection.v1.PluginsRequest.$Shape;
                    static create(properties?: containerd.services.introspection.v1.PluginsRequest.$Properties): containerd.services.introspection.v1.PluginsRequest;
                    static encode(message: containerd.services.introspection.v1.PluginsRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
                    static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): containerd.services.introspection.v1.PluginsRequest & containerd.services.introspection.v1.PluginsRequest.$Shape;
                    static getTypeUrl(prefix?: string): string;
                }

                namespace PluginsRequest {
                    interface $Properties {
                        filters?: (string[]|null);
                        $unknowns?: Uint8Array[];
                    }
                    type $Shape = containerd.services.introspection.v1.PluginsRequest.$Properties;
                }

                interface IPluginsResponse extends containerd.services.introspection.v1.PluginsResponse.$Properties {
                }

                class PluginsResponse {
                    constructor(properties?: containerd.services.introspection.v1.PluginsResponse.$Properties);
                    $unknowns?: Uint8Array[];
                    plugins: containerd.services.introspection.v1.Plugin.$Properties[];
                    static create(properties: containerd.services.introspection.v1.PluginsResponse.$Shape): containerd.services.introspection.v1.PluginsResponse & containerd.services.introspection.v1.PluginsResponse.$Shape;
                    static create(properties?: containerd.services.introspection.v1.PluginsResponse.$Properties): containerd.services.introspection.v1.PluginsResponse;
                    static encode(message: containerd.services.introspection.v1.PluginsResponse.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
                    static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): containerd.services.introspection.v1.PluginsResponse & containerd.services.introspection.v1.PluginsResponse.$Shape;
                    static getTypeUrl(prefix?: string): string;
                }

                namespace PluginsResponse {
                    interface $Properties {
                        plugins?: (containerd.services.introspection.v1.Plugin.$Properties[]|null);
                        $unknowns?: Uint8Array[];
                    }
                    type $Shape = containerd.services.introspection.v1.PluginsResponse.$Properties;
                }
            }
        }

        namespace leases {

            namespace v1 {

                interface ILease extends containerd.services.leases.v1.Lease.$Properties {
                }

                class Lease {
                    constructor(properties?: containerd.services.leases.v1.Lease.$Properties);
                    $unknowns?: Uint8Array[];
                    id: string;
                    createdAt?: (google.protobuf.Timestamp.$Properties|null);
                    labels: { [k: string]: string };
                    static create(properties: containerd.services.leases.v1.Lease.$Shape): containerd.services.leases.v1.Lease & containerd.services.leases.v1.Lease.$Shape;
                    static create(properties?: containerd.services.leases.v1.Lease.$Properties): containerd.services.leases.v1.Lease;
                    static encode(message: containerd.services.leases.v1.Lease.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
                    static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): containerd.services.leases.v1.Lease & containerd.services.leases.v1.Lease.$Shape;
                    static getTypeUrl(prefix?: string): string;
                }

                namespace Lease {
                    interface $Properties {
                        id?: (string|null);
                        createdAt?: (google.protobuf.Timestamp.$Properties|null);
                        labels?: ({ [k: string]: string }|null);
                        $unknowns?: Uint8Array[];
                    }
                    type $Shape = containerd.services.leases.v1.Lease.$Properties;
                }

                interface ICreateRequest extends containerd.services.leases.v1.CreateRequest.$Properties {
                }

                class CreateRequest {
                    constructor(properties?: containerd.services.leases.v1.CreateRequest.$Properties);
                    $unknowns?: Uint8Array[];
                    id: string;
                    labels: { [k: string]: string };
                    static create(properties: containerd.services.leases.v1.CreateRequest.$Shape): containerd.services.leases.v1.CreateRequest & containerd.services.leases.v1.CreateRequest.$Shape;
                    static create(properties?: containerd.services.leases.v1.CreateRequest.$Properties): containerd.services.leases.v1.CreateRequest;
                    static encode(message: containerd.services.leases.v1.CreateRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
                    static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): containerd.services.leases.v1.CreateRequest & containerd.services.leases.v1.CreateRequest.$Shape;
                    static getTypeUrl(prefix?: string): string;
                }

                namespace CreateRequest {
                    interface $Properties {
                        id?: (string|null);
                        labels?: ({ [k: string]: string }|null);
                        $unknowns?: Uint8Array[];
                    }
                    type $Shape = containerd.services.leases.v1.CreateRequest.$Properties;
                }

                interface ICreateResponse extends containerd.services.leases.v1.CreateResponse.$Properties {
                }

                class CreateResponse {
                    constructor(properties?: containerd.services.leases.v1.CreateResponse.$Properties);
                    $unknowns?: Uint8Array[];
                    lease?: (containerd.services.leases.v1.Lease.$Properties|null);
                    static create(properties: containerd.services.leases.v1.CreateResponse.$Shape): containerd.services.leases.v1.CreateResponse & containerd.services.leases.v1.CreateResponse.$Shape;
                    static create(properties?: containerd.services.leases.v1.CreateResponse.$Properties): containerd.services.leases.v1.CreateResponse;
                    static encode(message: containerd.services.leases.v1.CreateResponse.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
                    static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): containerd.services.leases.v1.CreateResponse & containerd.services.leases.v1.CreateResponse.$Shape;
                    static getTypeUrl(prefix?: string): string;
                }

                namespace CreateResponse {
                    interface $Properties {
                        lease?: (containerd.services.leases.v1.Lease.$Properties|null);
                        $unknowns?: Uint8Array[];
                    }
                    type $Shape = containerd.services.leases.v1.CreateResponse.$Properties;
                }

                interface IDeleteRequest extends containerd.services.leases.v1.DeleteRequest.$Properties {
                }

                class DeleteRequest {
                    constructor(properties?: containerd.services.leases.v1.DeleteRequest.$Properties);
                    $unknowns?: Uint8Array[];
                    id: string;
                    sync: boolean;
                    static create(properties: containerd.services.leases.v1.DeleteRequest.$Shape): containerd.services.leases.v1.DeleteRequest & containerd.services.leases.v1.DeleteRequest.$Shape;
                    static create(properties?: containerd.services.leases.v1.DeleteRequest.$Properties): containerd.services.leases.v1.DeleteRequest;
                    static encode(message: containerd.services.leases.v1.DeleteRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
                    static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): containerd.services.leases.v1.DeleteRequest & containerd.services.leases.v1.DeleteRequest.$Shape;
                    static getTypeUrl(prefix?: string): string;
                }

                namespace DeleteRequest {
                    interface $Properties {
                        id?: (string|null);
                        sync?: (boolean|null);
                        $unknowns?: Uint8Array[];
                    }
                    type $Shape = containerd.services.leases.v1.DeleteRequest.$Properties;
                }
            }
        }

        namespace snapshots {

            namespace v1 {

                interface IPrepareSnapshotRequest extends containerd.services.snapshots.v1.PrepareSnapshotRequest.$Properties {
                }

                class PrepareSnapshotRequest {
                    constructor(properties?: containerd.services.snapshots.v1.PrepareSnapshotRequest.$Properties);
                    $unknowns?: Uint8Array[];
                    snapshotter: string;
                    key: string;
                    parent: string;
                    labels: { [k: string]: string };
                    static create(properties: containerd.services.snapshots.v1.PrepareSnapshotRequest.$Shape): containerd.services.snapshots.v1.PrepareSnapshotRequest & containerd.services.snapshots.v1.PrepareSnapshotRequest.$Shape;
                    static create(properties?: containerd.services.snapshots.v1.PrepareSnapshotRequest.$Properties): containerd.services.snapshots.v1.PrepareSnapshotRequest;
                    static encode(message: containerd.services.snapshots.v1.PrepareSnapshotRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
                    static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): containerd.services.snapshots.v1.PrepareSnapshotRequest & containerd.services.snapshots.v1.PrepareSnapshotRequest.$Shape;
                    static getTypeUrl(prefix?: string): string;
                }

                namespace PrepareSnapshotRequest {
                    interface $Properties {
                        snapshotter?: (string|null);
                        key?: (string|null);
                        parent?: (string|null);
                        labels?: ({ [k: string]: string }|null);
                        $unknowns?: Uint8Array[];
                    }
                    type $Shape = containerd.services.snapshots.v1.PrepareSnapshotRequest.$Properties;
                }

                interface IPrepareSnapshotResponse extends containerd.services.snapshots.v1.PrepareSnapshotResponse.$Properties {
                }

                class PrepareSnapshotResponse {
                    constructor(properties?: containerd.services.snapshots.v1.PrepareSnapshotResponse.$Properties);
                    $unknowns?: Uint8Array[];
                    mounts: containerd.types.Mount.$Properties[];
                    static create(properties: containerd.services.snapshots.v1.PrepareSnapshotResponse.$Shape): containerd.services.snapshots.v1.PrepareSnapshotResponse & containerd.services.snapshots.v1.PrepareSnapshotResponse.$Shape;
                    static create(properties?: containerd.services.snapshots.v1.PrepareSnapshotResponse.$Properties): containerd.services.snapshots.v1.PrepareSnapshotResponse;
                    static encode(message: containerd.services.snapshots.v1.PrepareSnapshotResponse.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
                    static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): containerd.services.snapshots.v1.PrepareSnapshotResponse & containerd.services.snapshots.v1.PrepareSnapshotResponse.$Shape;
                    static getTypeUrl(prefix?: string): string;
                }

                namespace PrepareSnapshotResponse {
                    interface $Properties {
                        mounts?: (containerd.types.Mount.$Properties[]|null);
                        $unknowns?: Uint8Array[];
                    }
                    type $Shape = containerd.services.snapshots.v1.PrepareSnapshotResponse.$Properties;
                }

                interface IViewSnapshotRequest extends containerd.services.snapshots.v1.ViewSnapshotRequest.$Properties {
                }

                class ViewSnapshotRequest {
                    constructor(properties?: containerd.services.snapshots.v1.ViewSnapshotRequest.$Properties);
                    $unknowns?: Uint8Array[];
                    snapshotter: string;
                    key: string;
                    parent: string;
                    labels: { [k: string]: string };
                    static create(properties: containerd.services.snapshots.v1.ViewSnapshotRequest.$Shape): containerd.services.snapshots.v1.ViewSnapshotRequest & containerd.services.snapshots.v1.ViewSnapshotRequest.$Shape;
                    static create(properties?: containerd.services.snapshots.v1.ViewSnapshotRequest.$Properties): containerd.services.snapshots.v1.ViewSnapshotRequest;
                    static encode(message: containerd.services.snapshots.v1.ViewSnapshotRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
                    static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): containerd.services.snapshots.v1.ViewSnapshotRequest & containerd.services.snapshots.v1.ViewSnapshotRequest.$Shape;
                    static getTypeUrl(prefix?: string): string;
                }

                namespace ViewSnapshotRequest {
                    interface $Properties {
                        snapshotter?: (string|null);
                        key?: (string|null);
                        parent?: (string|null);
                        labels?: ({ [k: string]: string }|null);
                        $unknowns?: Uint8Array[];
                    }
                    type $Shape = containerd.services.snapshots.v1.ViewSnapshotRequest.$Properties;
                }

                interface IViewSnapshotResponse extends containerd.services.snapshots.v1.ViewSnapshotResponse.$Properties {
                }

                class ViewSnapshotResponse {
                    constructor(properties?: containerd.services.snapshots.v1.ViewSnapshotResponse.$Properties);
                    $unknowns?: Uint8Array[];
                    mounts: containerd.types.Mount.$Properties[];
                    static create(properties: containerd.services.snapshots.v1.ViewSnapshotResponse.$Shape): containerd.services.snapshots.v1.ViewSnapshotResponse & containerd.services.snapshots.v1.ViewSnapshotResponse.$Shape;
                    static create(properties?: containerd.services.snapshots.v1.ViewSnapshotResponse.$Properties): containerd.services.snapshots.v1.ViewSnapshotResponse;
                    static encode(message: containerd.services.snapshots.v1.ViewSnapshotResponse.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
                    static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): containerd.services.snapshots.v1.ViewSnapshotResponse & containerd.services.snapshots.v1.ViewSnapshotResponse.$Shape;
                    static getTypeUrl(prefix?: string): string;
                }

                namespace ViewSnapshotResponse {
                    interface $Properties {
                        mounts?: (containerd.types.Mount.$Properties[]|null);
                        $unknowns?: Uint8Array[];
                    }
                    type $Shape = containerd.services.snapshots.v1.ViewSnapshotResponse.$Properties;
                }

                interface IMountsRequest extends containerd.services.snapshots.v1.MountsRequest.$Properties {
                }

                class MountsRequest {
                    constructor(properties?: containerd.services.snapshots.v1.MountsRequest.$Properties);
                    $unknowns?: Uint8Array[];
                    snapshotter: string;
                    key: string;
                    static create(properties: containerd.services.snapshots.v1.MountsRequest.$Shape): containerd.services.snapshots.v1.MountsRequest & containerd.services.snapshots.v1.MountsRequest.$Shape;
                    static create(properties?: containerd.services.snapshots.v1.MountsRequest.$Properties): containerd.services.snapshots.v1.MountsRequest;
                    static encode(message: containerd.services.snapshots.v1.MountsRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
                    static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): containerd.services.snapshots.v1.MountsRequest & containerd.services.snapshots.v1.MountsRequest.$Shape;
                    static getTypeUrl(prefix?: string): string;
                }

                namespace MountsRequest {
                    interface $Properties {
                        snapshotter?: (string|null);
                        key?: (string|null);
                        $unknowns?: Uint8Array[];
                    }
                    type $Shape = containerd.services.snapshots.v1.MountsRequest.$Properties;
                }

                interface IMountsResponse extends containerd.services.snapshots.v1.MountsResponse.$Properties {
                }

                class MountsResponse {
                    constructor(properties?: containerd.services.snapshots.v1.MountsResponse.$Properties);
                    $unknowns?: Uint8Array[];
                    mounts: containerd.types.Mount.$Properties[];
                    static create(properties: containerd.services.snapshots.v1.MountsResponse.$Shape): containerd.services.snapshots.v1.MountsResponse & containerd.services.snapshots.v1.MountsResponse.$Shape;
                    static create(properties?: containerd.services.snapshots.v1.MountsResponse.$Properties): containerd.services.snapshots.v1.MountsResponse;
                    static encode(message: containerd.services.snapshots.v1.MountsResponse.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
                    static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): containerd.services.snapshots.v1.MountsResponse & containerd.services.snapshots.v1.MountsResponse.$Shape;
                    static getTypeUrl(prefix?: string): string;
                }

                namespace MountsResponse {
                    interface $Properties {
                        mounts?: (containerd.types.Mount.$Properties[]|null);
                        $unknowns?: Uint8Array[];
                    }
                    type $Shape = containerd.services.snapshots.v1.MountsResponse.$Properties;
                }

                interface IRemoveSnapshotRequest extends containerd.services.snapshots.v1.RemoveSnapshotRequest.$Properties {
                }

                class RemoveSnapshotRequest {
                    constructor(properties?: containerd.services.snapshots.v1.RemoveSnapshotRequest.$Properties);
                    $unknowns?: Uint8Array[];
                    snapshotter: string;
                    key: string;
                    static create(properties: containerd.services.snapshots.v1.RemoveSnapshotRequest.$Shape): containerd.services.snapshots.v1.RemoveSnapshotRequest & containerd.services.snapshots.v1.RemoveSnapshotRequest.$Shape;
                    static create(properties?: containerd.services.snapshots.v1.RemoveSnapshotRequest.$Properties): containerd.services.snapshots.v1.RemoveSnapshotRequest;
                    static encode(message: containerd.services.snapshots.v1.RemoveSnapshotRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
                    static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): containerd.services.snapshots.v1.RemoveSnapshotRequest & containerd.services.snapshots.v1.RemoveSnapshotRequest.$Shape;
                    static getTypeUrl(prefix?: string): string;
                }

                namespace RemoveSnapshotRequest {
                    interface $Properties {
                        snapshotter?: (string|null);
                        key?: (string|null);
                        $unknowns?: Uint8Array[];
                    }
                    type $Shape = containerd.services.snapshots.v1.RemoveSnapshotRequest.$Properties;
                }

                interface ICommitSnapshotRequest extends containerd.services.snapshots.v1.CommitSnapshotRequest.$Properties {
                }

                class CommitSnapshotRequest {
                    constructor(properties?: containerd.services.snapshots.v1.CommitSnapshotRequest.$Properties);
                    $unknowns?: Uint8Array[];
                    snapshotter: string;
                    name: string;
                    key: string;
                    labels: { [k: string]: string };
                    static create(properties: containerd.services.snapshots.v1.CommitSnapshotRequest.$Shape): containerd.services.snapshots.v1.CommitSnapshotRequest & containerd.services.snapshots.v1.CommitSnapshotRequest.$Shape;
                    static create(properties?: containerd.services.snapshots.v1.CommitSnapshotRequest.$Properties): containerd.services.snapshots.v1.CommitSnapshotRequest;
                    static encode(message: containerd.services.snapshots.v1.CommitSnapshotRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
                    static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): containerd.services.snapshots.v1.CommitSnapshotRequest & containerd.services.snapshots.v1.CommitSnapshotRequest.$Shape;
                    static getTypeUrl(prefix?: string): string;
                }

                namespace CommitSnapshotRequest {
                    interface $Properties {
                        snapshotter?: (string|null);
                        name?: (string|null);
                        key?: (string|null);
                        labels?: ({ [k: string]: string }|null);
                        $unknowns?: Uint8Array[];
                    }
                    type $Shape = containerd.services.snapshots.v1.CommitSnapshotRequest.$Properties;
                }

                interface IStatSnapshotRequest extends containerd.services.snapshots.v1.StatSnapshotRequest.$Properties {
                }

                class StatSnapshotRequest {
                    constructor(properties?: containerd.services.snapshots.v1.StatSnapshotRequest.$Properties);
                    $unknowns?: Uint8Array[];
                    snapshotter: string;
                    key: string;
                    static create(properties: containerd.services.snapshots.v1.StatSnapshotRequest.$Shape): containerd.services.snapshots.v1.StatSnapshotRequest & containerd.services.snapshots.v1.StatSnapshotRequest.$Shape;
                    static create(properties?: containerd.services.snapshots.v1.StatSnapshotRequest.$Properties): containerd.services.snapshots.v1.StatSnapshotRequest;
                    static encode(message: containerd.services.snapshots.v1.StatSnapshotRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
                    static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): containerd.services.snapshots.v1.StatSnapshotRequest & containerd.services.snapshots.v1.StatSnapshotRequest.$Shape;
                    static getTypeUrl(prefix?: string): string;
                }

                namespace StatSnapshotRequest {
                    interface $Properties {
                        snapshotter?: (string|null);
                        key?: (string|null);
                        $unknowns?: Uint8Array[];
                    }
                    type $Shape = containerd.services.snapshots.v1.StatSnapshotRequest.$Properties;
                }

                enum Kind {
                    UNKNOWN = 0,
                    VIEW = 1,
                    ACTIVE = 2,
                    COMMITTED = 3
                }

                interface IInfo extends containerd.services.snapshots.v1.Info.$Properties {
                }

                class Info {
                    constructor(properties?: containerd.services.snapshots.v1.Info.$Properties);
                    $unknowns?: Uint8Array[];
                    name: string;
                    parent: string;
                    kind: containerd.services.snapshots.v1.Kind;
                    labels: { [k: string]: string };
                    static create(properties: containerd.services.snapshots.v1.Info.$Shape): containerd.services.snapshots.v1.Info & containerd.services.snapshots.v1.Info.$Shape;
                    static create(properties?: containerd.services.snapshots.v1.Info.$Properties): containerd.services.snapshots.v1.Info;
                    static encode(message: containerd.services.snapshots.v1.Info.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
                    static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): containerd.services.snapshots.v1.Info & containerd.services.snapshots.v1.Info.$Shape;
                    static getTypeUrl(prefix?: string): string;
                }

                namespace Info {
                    interface $Properties {
                        name?: (string|null);
                        parent?: (string|null);
                        kind?: (containerd.services.snapshots.v1.Kind|null);
                        labels?: ({ [k: string]: string }|null);
                        $unknowns?: Uint8Array[];
                    }
                    type $Shape = containerd.services.snapshots.v1.Info.$Properties;
                }

                interface IStatSnapshotResponse extends containerd.services.snapshots.v1.StatSnapshotResponse.$Properties {
                }

                class StatSnapshotResponse {
                    constructor(properties?: containerd.services.snapshots.v1.StatSnapshotResponse.$Properties);
                    $unknowns?: Uint8Array[];
                    info?: (containerd.services.snapshots.v1.Info.$Properties|null);
                    static create(properties: containerd.services.snapshots.v1.StatSnapshotResponse.$Shape): containerd.services.snapshots.v1.StatSnapshotResponse & containerd.services.snapshots.v1.StatSnapshotResponse.$Shape;
                    static create(properties?: containerd.services.snapshots.v1.StatSnapshotResponse.$Properties): containerd.services.snapshots.v1.StatSnapshotResponse;
                    static encode(message: containerd.services.snapshots.v1.StatSnapshotResponse.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
                    static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): containerd.services.snapshots.v1.StatSnapshotResponse & containerd.services.snapshots.v1.StatSnapshotResponse.$Shape;
                    static getTypeUrl(prefix?: string): string;
                }

                namespace StatSnapshotResponse {
                    interface $Properties {
                        info?: (containerd.services.snapshots.v1.Info.$Properties|null);
                        $unknowns?: Uint8Array[];
                    }
                    type $Shape = containerd.services.snapshots.v1.StatSnapshotResponse.$Properties;
                }

                interface IListSnapshotsRequest extends containerd.services.snapshots.v1.ListSnapshotsRequest.$Properties {
                }

                class ListSnapshotsRequest {
                    constructor(properties?: containerd.services.snapshots.v1.ListSnapshotsRequest.$Properties);
                    $unknowns?: Uint8Array[];
                    snapshotter: string;
                    filters: string[];
                    static create(properties: containerd.services.snapshots.v1.ListSnapshotsRequest.$Shape): containerd.services.snapshots.v1.ListSnapshotsRequest & containerd.services.snapshots.v1.ListSnapshotsRequest.$Shape;
                    static create(properties?: containerd.services.snapshots.v1.ListSnapshotsRequest.$Properties): containerd.services.snapshots.v1.ListSnapshotsRequest;
                    static encode(message: containerd.services.snapshots.v1.ListSnapshotsRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
                    static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): containerd.services.snapshots.v1.ListSnapshotsRequest & containerd.services.snapshots.v1.ListSnapshotsRequest.$Shape;
                    static getTypeUrl(prefix?: string): string;
                }

                namespace ListSnapshotsRequest {
                    interface $Properties {
                        snapshotter?: (string|null);
                        filters?: (string[]|null);
                        $unknowns?: Uint8Array[];
                    }
                    type $Shape = containerd.services.snapshots.v1.ListSnapshotsRequest.$Properties;
                }

                interface IListSnapshotsResponse extends containerd.services.snapshots.v1.ListSnapshotsResponse.$Properties {
                }

                class ListSnapshotsResponse {
                    constructor(properties?: containerd.services.snapshots.v1.ListSnapshotsResponse.$Properties);
                    $unknowns?: Uint8Array[];
                    info: containerd.services.snapshots.v1.Info.$Properties[];
                    static create(properties: containerd.services.snapshots.v1.ListSnapshotsResponse.$Shape): containerd.services.snapshots.v1.ListSnapshotsResponse & containerd.services.snapshots.v1.ListSnapshotsResponse.$Shape;
                    static create(properties?: containerd.services.snapshots.v1.ListSnapshotsResponse.$Properties): containerd.services.snapshots.v1.ListSnapshotsResponse;
                    static encode(message: containerd.services.snapshots.v1.ListSnapshotsResponse.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
                    static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): containerd.services.snapshots.v1.ListSnapshotsResponse & containerd.services.snapshots.v1.ListSnapshotsResponse.$Shape;
                    static getTypeUrl(prefix?: string): string;
                }

                namespace ListSnapshotsResponse {
                    interface $Properties {
                        info?: (containerd.services.snapshots.v1.Info.$Properties[]|null);
                        $unknowns?: Uint8Array[];
                    }
                    type $Shape = containerd.services.snapshots.v1.ListSnapshotsResponse.$Properties;
                }
            }
        }

        namespace tasks {

            namespace v1 {

                interface ICreateTaskRequest extends containerd.services.tasks.v1.CreateTaskRequest.$Properties {
                }

                class CreateTaskRequest {
                    constructor(properties?: containerd.services.tasks.v1.CreateTaskRequest.$Properties);
                    $unknowns?: Uint8Array[];
                    containerId: string;
                    rootfs: containerd.types.Mount.$Properties[];
                    stdin: string;
                    stdout: string;
                    stderr: string;
                    terminal: boolean;
                    options?: (google.protobuf.Any.$Properties|null);
                    static create(properties: containerd.services.tasks.v1.CreateTaskRequest.$Shape): containerd.services.tasks.v1.CreateTaskRequest & containerd.services.tasks.v1.CreateTaskRequest.$Shape;
                    static create(properties?: containerd.services.tasks.v1.CreateTaskRequest.$Properties): containerd.services.tasks.v1.CreateTaskRequest;
                    static encode(message: containerd.services.tasks.v1.CreateTaskRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
                    static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): containerd.services.tasks.v1.CreateTaskRequest & containerd.services.tasks.v1.CreateTaskRequest.$Shape;
                    static getTypeUrl(prefix?: string): string;
                }

                namespace CreateTaskRequest {
                    interface $Properties {
                        containerId?: (string|null);
                        rootfs?: (containerd.types.Mount.$Properties[]|null);
                        stdin?: (string|null);
                        stdout?: (string|null);
                        stderr?: (string|null);
                        terminal?: (boolean|null);
                        options?: (google.protobuf.Any.$Properties|null);
                        $unknowns?: Uint8Array[];
                    }
                    type $Shape = containerd.services.tasks.v1.CreateTaskRequest.$Properties;
                }

                interface ICreateTaskResponse extends containerd.services.tasks.v1.CreateTaskResponse.$Properties {
                }

                class CreateTaskResponse {
                    constructor(properties?: containerd.services.tasks.v1.CreateTaskResponse.$Properties);
                    $unknowns?: Uint8Array[];
                    containerId: string;
                    pid: number;
                    static create(properties: containerd.services.tasks.v1.CreateTaskResponse.$Shape): containerd.services.tasks.v1.CreateTaskResponse & containerd.services.tasks.v1.CreateTaskResponse.$Shape;
                    static create(properties?: containerd.services.tasks.v1.CreateTaskResponse.$Properties): containerd.services.tasks.v1.CreateTaskResponse;
                    static encode(message: containerd.services.tasks.v1.CreateTaskResponse.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
                    static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): containerd.services.tasks.v1.CreateTaskResponse & containerd.services.tasks.v1.CreateTaskResponse.$Shape;
                    static getTypeUrl(prefix?: string): string;
                }

                namespace CreateTaskResponse {
                    interface $Properties {
                        containerId?: (string|null);
                        pid?: (number|null);
                        $unknowns?: Uint8Array[];
                    }
                    type $Shape = containerd.services.tasks.v1.CreateTaskResponse.$Properties;
                }

                interface IStartRequest extends containerd.services.tasks.v1.StartRequest.$Properties {
                }

                class StartRequest {
                    constructor(properties?: containerd.services.tasks.v1.StartRequest.$Properties);
                    $unknowns?: Uint8Array[];
                    containerId: string;
                    execId: string;
                    static create(properties: containerd.services.tasks.v1.StartRequest.$Shape): containerd.services.tasks.v1.StartRequest & containerd.services.tasks.v1.StartRequest.$Shape;
                    static create(properties?: containerd.services.tasks.v1.StartRequest.$Properties): containerd.services.tasks.v1.StartRequest;
                    static encode(message: containerd.services.tasks.v1.StartRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
                    static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): containerd.services.tasks.v1.StartRequest & containerd.services.tasks.v1.StartRequest.$Shape;
                    static getTypeUrl(prefix?: string): string;
                }

                namespace StartRequest {
                    interface $Properties {
                        containerId?: (string|null);
                        execId?: (string|null);
                        $unknowns?: Uint8Array[];
                    }
                    type $Shape = containerd.services.tasks.v1.StartRequest.$Properties;
                }

                interface IStartResponse extends containerd.services.tasks.v1.StartResponse.$Properties {
                }

                class StartResponse {
                    constructor(properties?: containerd.services.tasks.v1.StartResponse.$Properties);
                    $unknowns?: Uint8Array[];
                    pid: number;
                    static create(properties: containerd.services.tasks.v1.StartResponse.$Shape): containerd.services.tasks.v1.StartResponse & containerd.services.tasks.v1.StartResponse.$Shape;
                    static create(properties?: containerd.services.tasks.v1.StartResponse.$Properties): containerd.services.tasks.v1.StartResponse;
                    static encode(message: containerd.services.tasks.v1.StartResponse.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
                    static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): containerd.services.tasks.v1.StartResponse & containerd.services.tasks.v1.StartResponse.$Shape;
                    static getTypeUrl(prefix?: string): string;
                }

                namespace StartResponse {
                    interface $Properties {
                        pid?: (number|null);
                        $unknowns?: Uint8Array[];
                    }
                    type $Shape = containerd.services.tasks.v1.StartResponse.$Properties;
                }

                interface IDeleteTaskRequest extends containerd.services.tasks.v1.DeleteTaskRequest.$Properties {
                }

                class DeleteTaskRequest {
                    constructor(properties?: containerd.services.tasks.v1.DeleteTaskRequest.$Properties);
                    $unknowns?: Uint8Array[];
                    containerId: string;
                    static create(properties: containerd.services.tasks.v1.DeleteTaskRequest.$Shape): containerd.services.tasks.v1.DeleteTaskRequest & containerd.services.tasks.v1.DeleteTaskRequest.$Shape;
                    static create(properties?: containerd.services.tasks.v1.DeleteTaskRequest.$Properties): containerd.services.tasks.v1.DeleteTaskRequest;
                    static encode(message: containerd.services.tasks.v1.DeleteTaskRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
                    static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): containerd.services.tasks.v1.DeleteTaskRequest & containerd.services.tasks.v1.DeleteTaskRequest.$Shape;
                    static getTypeUrl(prefix?: string): string;
                }

                namespace DeleteTaskRequest {
                    interface $Properties {
                        containerId?: (string|null);
                        $unknowns?: Uint8Array[];
                    }
                    type $Shape = containerd.services.tasks.v1.DeleteTaskRequest.$Properties;
                }

                interface IDeleteProcessRequest extends containerd.services.tasks.v1.DeleteProcessRequest.$Properties {
                }

                class DeleteProcessRequest {
                    constructor(properties?: containerd.services.tasks.v1.DeleteProcessRequest.$Properties);
                    $unknowns?: Uint8Array[];
                    containerId: string;
                    execId: string;
                    static create(properties: containerd.services.tasks.v1.DeleteProcessRequest.$Shape): containerd.services.tasks.v1.DeleteProcessRequest & containerd.services.tasks.v1.DeleteProcessRequest.$Shape;
                    static create(properties?: containerd.services.tasks.v1.DeleteProcessRequest.$Properties): containerd.services.tasks.v1.DeleteProcessRequest;
                    static encode(message: containerd.services.tasks.v1.DeleteProcessRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
                    static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): containerd.services.tasks.v1.DeleteProcessRequest & containerd.services.tasks.v1.DeleteProcessRequest.$Shape;
                    static getTypeUrl(prefix?: string): string;
                }

                namespace DeleteProcessRequest {
                    interface $Properties {
                        containerId?: (string|null);
                        execId?: (string|null);
                        $unknowns?: Uint8Array[];
                    }
                    type $Shape = containerd.services.tasks.v1.DeleteProcessRequest.$Properties;
                }

                interface IDeleteResponse extends containerd.services.tasks.v1.DeleteResponse.$Properties {
                }

                class DeleteResponse {
                    constructor(properties?: containerd.services.tasks.v1.DeleteResponse.$Properties);
                    $unknowns?: Uint8Array[];
                    id: string;
                    pid: number;
                    exitStatus: number;
                    exitedAt?: (google.protobuf.Timestamp.$Properties|null);
                    static create(properties: containerd.services.tasks.v1.DeleteResponse.$Shape): containerd.services.tasks.v1.DeleteResponse & containerd.services.tasks.v1.DeleteResponse.$Shape;
                    static create(properties?: containerd.services.tasks.v1.DeleteResponse.$Properties): containerd.services.tasks.v1.DeleteResponse;
                    static encode(message: containerd.services.tasks.v1.DeleteResponse.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
                    static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): containerd.services.tasks.v1.DeleteResponse & containerd.services.tasks.v1.DeleteResponse.$Shape;
                    static getTypeUrl(prefix?: string): string;
                }

                namespace DeleteResponse {
                    interface $Properties {
                        id?: (string|null);
                        pid?: (number|null);
                        exitStatus?: (number|null);
                        exitedAt?: (google.protobuf.Timestamp.$Properties|null);
                        $unknowns?: Uint8Array[];
                    }
                    type $Shape = containerd.services.tasks.v1.DeleteResponse.$Properties;
                }

                interface IGetRequest extends containerd.services.tasks.v1.GetRequest.$Properties {
                }

                class GetRequest {
                    constructor(properties?: containerd.services.tasks.v1.GetRequest.$Properties);
                    $unknowns?: Uint8Array[];
                    containerId: string;
                    execId: string;
                    static create(properties: containerd.services.tasks.v1.GetRequest.$Shape): containerd.services.tasks.v1.GetRequest & containerd.services.tasks.v1.GetRequest.$Shape;
                    static create(properties?: containerd.services.tasks.v1.GetRequest.$Properties): containerd.services.tasks.v1.GetRequest;
                    static encode(message: containerd.services.tasks.v1.GetRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
                    static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): containerd.services.tasks.v1.GetRequest & containerd.services.tasks.v1.GetRequest.$Shape;
                    static getTypeUrl(prefix?: string): string;
                }

                namespace GetRequest {
                    interface $Properties {
                        containerId?: (string|null);
                        execId?: (string|null);
                        $unknowns?: Uint8Array[];
                    }
                    type $Shape = containerd.services.tasks.v1.GetRequest.$Properties;
                }

                interface IGetResponse extends containerd.services.tasks.v1.GetResponse.$Properties {
                }

                class GetResponse {
                    constructor(properties?: containerd.services.tasks.v1.GetResponse.$Properties);
                    $unknowns?: Uint8Array[];
                    process?: (containerd.v1.types.Process.$Properties|null);
                    static create(properties: containerd.services.tasks.v1.GetResponse.$Shape): containerd.services.tasks.v1.GetResponse & containerd.services.tasks.v1.GetResponse.$Shape;
                    static create(properties?: containerd.services.tasks.v1.GetResponse.$Properties): containerd.services.tasks.v1.GetResponse;
                    static encode(message: containerd.services.tasks.v1.GetResponse.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
                    static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): containerd.services.tasks.v1.GetResponse & containerd.services.tasks.v1.GetResponse.$Shape;
                    static getTypeUrl(prefix?: string): string;
                }

                namespace GetResponse {
                    interface $Properties {
                        process?: (containerd.v1.types.Process.$Properties|null);
                        $unknowns?: Uint8Array[];
                    }
                    type $Shape = containerd.services.tasks.v1.GetResponse.$Properties;
                }

                interface IListTasksRequest extends containerd.services.tasks.v1.ListTasksRequest.$Properties {
                }

                class ListTasksRequest {
                    constructor(properties?: containerd.services.tasks.v1.ListTasksRequest.$Properties);
                    $unknowns?: Uint8Array[];
                    filter: string;
                    static create(properties: containerd.services.tasks.v1.ListTasksRequest.$Shape): containerd.services.tasks.v1.ListTasksRequest & containerd.services.tasks.v1.ListTasksRequest.$Shape;
                    static create(properties?: containerd.services.tasks.v1.ListTasksRequest.$Properties): containerd.services.tasks.v1.ListTasksRequest;
                    static encode(message: containerd.services.tasks.v1.ListTasksRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
                    static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): containerd.services.tasks.v1.ListTasksRequest & containerd.services.tasks.v1.ListTasksRequest.$Shape;
                    static getTypeUrl(prefix?: string): string;
                }

                namespace ListTasksRequest {
                    interface $Properties {
                        filter?: (string|null);
                        $unknowns?: Uint8Array[];
                    }
                    type $Shape = containerd.services.tasks.v1.ListTasksRequest.$Properties;
                }

                interface IListTasksResponse extends containerd.services.tasks.v1.ListTasksResponse.$Properties {
                }

                class ListTasksResponse {
                    constructor(properties?: containerd.services.tasks.v1.ListTasksResponse.$Properties);
                    $unknowns?: Uint8Array[];
                    tasks: containerd.v1.types.Process.$Properties[];
                    static create(properties: containerd.services.tasks.v1.ListTasksResponse.$Shape): containerd.services.tasks.v1.ListTasksResponse & containerd.services.tasks.v1.ListTasksResponse.$Shape;
                    static create(properties?: containerd.services.tasks.v1.ListTasksResponse.$Properties): containerd.services.tasks.v1.ListTasksResponse;
                    static encode(message: containerd.services.tasks.v1.ListTasksResponse.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
                    static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): containerd.services.tasks.v1.ListTasksResponse & containerd.services.tasks.v1.ListTasksResponse.$Shape;
                    static getTypeUrl(prefix?: string): string;
                }

                namespace ListTasksResponse {
                    interface $Properties {
                        tasks?: (containerd.v1.types.Process.$Properties[]|null);
                        $unknowns?: Uint8Array[];
                    }
                    type $Shape = containerd.services.tasks.v1.ListTasksResponse.$Properties;
                }

                interface IKillRequest extends containerd.services.tasks.v1.KillRequest.$Properties {
                }

                class KillRequest {
                    constructor(properties?: containerd.services.tasks.v1.KillRequest.$Properties);
                    $unknowns?: Uint8Array[];
                    containerId: string;
                    execId: string;
                    signal: number;
                    all: boolean;
                    static create(properties: containerd.services.tasks.v1.KillRequest.$Shape): containerd.services.tasks.v1.KillRequest & containerd.services.tasks.v1.KillRequest.$Shape;
                    static create(properties?: containerd.services.tasks.v1.KillRequest.$Properties): containerd.services.tasks.v1.KillRequest;
                    static encode(message: containerd.services.tasks.v1.KillRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
                    static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): containerd.services.tasks.v1.KillRequest & containerd.services.tasks.v1.KillRequest.$Shape;
                    static getTypeUrl(prefix?: string): string;
                }

                namespace KillRequest {
                    interface $Properties {
                        containerId?: (string|null);
                        execId?: (string|null);
                        signal?: (number|null);
                        all?: (boolean|null);
                        $unknowns?: Uint8Array[];
                    }
                    type $Shape = containerd.services.tasks.v1.KillRequest.$Properties;
                }

                interface IExecProcessRequest extends containerd.services.tasks.v1.ExecProcessRequest.$Properties {
                }

                class ExecProcessRequest {
                    constructor(properties?: containerd.services.tasks.v1.ExecProcessRequest.$Properties);
                    $unknowns?: Uint8Array[];
                    containerId: string;
                    stdin: string;
                    stdout: string;
                    stderr: string;
                    terminal: boolean;
                    spec?: (google.protobuf.Any.$Properties|null);
                    execId: string;
                    static create(properties: containerd.services.tasks.v1.ExecProcessRequest.$Shape): containerd.services.tasks.v1.ExecProcessRequest & containerd.services.tasks.v1.ExecProcessRequest.$Shape;
                    static create(properties?: containerd.services.tasks.v1.ExecProcessRequest.$Properties): containerd.services.tasks.v1.ExecProcessRequest;
                    static encode(message: containerd.services.tasks.v1.ExecProcessRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
                    static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): containerd.services.tasks.v1.ExecProcessRequest & containerd.services.tasks.v1.ExecProcessRequest.$Shape;
                    static getTypeUrl(prefix?: string): string;
                }

                namespace ExecProcessRequest {
                    interface $Properties {
                        containerId?: (string|null);
                        stdin?: (string|null);
                        stdout?: (string|null);
                        stderr?: (string|null);
                        terminal?: (boolean|null);
                        spec?: (google.protobuf.Any.$Properties|null);
                        execId?: (string|null);
                        $unknowns?: Uint8Array[];
                    }
                    type $Shape = containerd.services.tasks.v1.ExecProcessRequest.$Properties;
                }

                interface IResumeTaskRequest extends containerd.services.tasks.v1.ResumeTaskRequest.$Properties {
                }

                class ResumeTaskRequest {
                    constructor(properties?: containerd.services.tasks.v1.ResumeTaskRequest.$Properties);
                    $unknowns?: Uint8Array[];
                    containerId: string;
                    static create(properties: containerd.services.tasks.v1.ResumeTaskRequest.$Shape): containerd.services.tasks.v1.ResumeTaskRequest & containerd.services.tasks.v1.ResumeTaskRequest.$Shape;
                    static create(properties?: containerd.services.tasks.v1.ResumeTaskRequest.$Properties): containerd.services.tasks.v1.ResumeTaskRequest;
                    static encode(message: containerd.services.tasks.v1.ResumeTaskRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
                    static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): containerd.services.tasks.v1.ResumeTaskRequest & containerd.services.tasks.v1.ResumeTaskRequest.$Shape;
                    static getTypeUrl(prefix?: string): string;
                }

                namespace ResumeTaskRequest {
                    interface $Properties {
                        containerId?: (string|null);
                        $unknowns?: Uint8Array[];
                    }
                    type $Shape = containerd.services.tasks.v1.ResumeTaskRequest.$Properties;
                }

                interface IWaitRequest extends containerd.services.tasks.v1.WaitRequest.$Properties {
                }

                class WaitRequest {
                    constructor(properties?: containerd.services.tasks.v1.WaitRequest.$Properties);
                    $unknowns?: Uint8Array[];
                    containerId: string;
                    execId: string;
                    static create(properties: containerd.services.tasks.v1.WaitRequest.$Shape): containerd.services.tasks.v1.WaitRequest & containerd.services.tasks.v1.WaitRequest.$Shape;
                    static create(properties?: containerd.services.tasks.v1.WaitRequest.$Properties): containerd.services.tasks.v1.WaitRequest;
                    static encode(message: containerd.services.tasks.v1.WaitRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
                    static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): containerd.services.tasks.v1.WaitRequest & containerd.services.tasks.v1.WaitRequest.$Shape;
                    static getTypeUrl(prefix?: string): string;
                }

                namespace WaitRequest {
                    interface $Properties {
                        containerId?: (string|null);
                        execId?: (string|null);
                        $unknowns?: Uint8Array[];
                    }
                    type $Shape = containerd.services.tasks.v1.WaitRequest.$Properties;
                }

                interface IWaitResponse extends containerd.services.tasks.v1.WaitResponse.$Properties {
                }

                class WaitResponse {
                    constructor(properties?: containerd.services.tasks.v1.WaitResponse.$Properties);
                    $unknowns?: Uint8Array[];
                    exitStatus: number;
                    exitedAt?: (google.protobuf.Timestamp.$Properties|null);
                    static create(properties: containerd.services.tasks.v1.WaitResponse.$Shape): containerd.services.tasks.v1.WaitResponse & containerd.services.tasks.v1.WaitResponse.$Shape;
                    static create(properties?: containerd.services.tasks.v1.WaitResponse.$Properties): containerd.services.tasks.v1.WaitResponse;
                    static encode(message: containerd.services.tasks.v1.WaitResponse.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
                    static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): containerd.services.tasks.v1.WaitResponse & containerd.services.tasks.v1.WaitResponse.$Shape;
                    static getTypeUrl(prefix?: string): string;
                }

                namespace WaitResponse {
                    interface $Properties {
                        exitStatus?: (number|null);
                        exitedAt?: (google.protobuf.Timestamp.$Properties|null);
                        $unknowns?: Uint8Array[];
                    }
                    type $Shape = containerd.services.tasks.v1.WaitResponse.$Properties;
                }
            }
        }

        namespace version {

            namespace v1 {

                interface IVersionResponse extends containerd.services.version.v1.VersionResponse.$Properties {
                }

                class VersionResponse {
                    constructor(properties?: containerd.services.version.v1.VersionResponse.$Properties);
                    $unknowns?: Uint8Array[];
                    version: string;
                    revision: string;
                    static create(properties: containerd.services.version.v1.VersionResponse.$Shape): containerd.services.version.v1.VersionResponse & containerd.services.version.v1.VersionResponse.$Shape;
                    static create(properties?: containerd.services.version.v1.VersionResponse.$Properties): containerd.services.version.v1.VersionResponse;
                    static encode(message: containerd.services.version.v1.VersionResponse.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
                    static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): containerd.services.version.v1.VersionResponse & containerd.services.version.v1.VersionResponse.$Shape;
                    static getTypeUrl(prefix?: string): string;
                }

                namespace VersionResponse {
                    interface $Properties {
                        version?: (string|null);
                        revision?: (string|null);
                        $unknowns?: Uint8Array[];
                    }
                    type $Shape = containerd.services.version.v1.VersionResponse.$Properties;
                }
            }
        }
    }

    namespace types {

        interface IDescriptor extends containerd.types.Descriptor.$Properties {
        }

        class Descriptor {
            constructor(properties?: containerd.types.Descriptor.$Properties);
            $unknowns?: Uint8Array[];
            mediaType: string;
            digest: string;
            size: number;
            annotations: { [k: string]: string };
            static create(properties: containerd.types.Descriptor.$Shape): containerd.types.Descriptor & containerd.types.Descriptor.$Shape;
            static create(properties?: containerd.types.Descriptor.$Properties): containerd.types.Descriptor;
            static encode(message: containerd.types.Descriptor.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): containerd.types.Descriptor & containerd.types.Descriptor.$Shape;
            static getTypeUrl(prefix?: string): string;
        }

        namespace Descriptor {
            interface $Properties {
                mediaType?: (string|null);
                digest?: (string|null);
                size?: (number|null);
                annotations?: ({ [k: string]: string }|null);
                $unknowns?: Uint8Array[];
            }
            type $Shape = containerd.types.Descriptor.$Properties;
        }

        interface IMount extends containerd.types.Mount.$Properties {
        }

        class Mount {
            constructor(properties?: containerd.types.Mount.$Properties);
            $unknowns?: Uint8Array[];
            type: string;
            source: string;
            target: string;
            options: string[];
            static create(properties: containerd.types.Mount.$Shape): containerd.types.Mount & containerd.types.Mount.$Shape;
            static create(properties?: containerd.types.Mount.$Properties): containerd.types.Mount;
            static encode(message: containerd.types.Mount.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): containerd.types.Mount & containerd.types.Mount.$Shape;
            static getTypeUrl(prefix?: string): string;
        }

        namespace Mount {
            interface $Properties {
                type?: (string|null);
                source?: (string|null);
                target?: (string|null);
                options?: (string[]|null);
                $unknowns?: Uint8Array[];
            }
            type $Shape = containerd.types.Mount.$Properties;
        }
    }

    namespace runc {

        namespace v1 {

            interface IOptions extends containerd.runc.v1.Options.$Properties {
            }

            class Options {
                constructor(properties?: containerd.runc.v1.Options.$Properties);
                $unknowns?: Uint8Array[];
                binaryName: string;
                root: string;
                systemdCgroup: boolean;
                static create(properties: containerd.runc.v1.Options.$Shape): containerd.runc.v1.Options & containerd.runc.v1.Options.$Shape;
                static create(properties?: containerd.runc.v1.Options.$Properties): containerd.runc.v1.Options;
                static encode(message: containerd.runc.v1.Options.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): containerd.runc.v1.Options & containerd.runc.v1.Options.$Shape;
                static getTypeUrl(prefix?: string): string;
            }

            namespace Options {
                interface $Properties {
                    binaryName?: (string|null);
                    root?: (string|null);
                    systemdCgroup?: (boolean|null);
                    $unknowns?: Uint8Array[];
                }
                type $Shape = containerd.runc.v1.Options.$Properties;
            }
        }
    }

    namespace events {

        interface ITaskExit extends containerd.events.TaskExit.$Properties {
        }

        class TaskExit {
            constructor(properties?: containerd.events.TaskExit.$Properties);
            $unknowns?: Uint8Array[];
            containerId: string;
            id: string;
            pid: number;
            exitStatus: number;
            exitedAt?: (google.protobuf.Timestamp.$Properties|null);
            static create(properties: containerd.events.TaskExit.$Shape): containerd.events.TaskExit & containerd.events.TaskExit.$Shape;
            static create(properties?: containerd.events.TaskExit.$Properties): containerd.events.TaskExit;
            static encode(message: containerd.events.TaskExit.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): containerd.events.TaskExit & containerd.events.TaskExit.$Shape;
            static getTypeUrl(prefix?: string): string;
        }

        namespace TaskExit {
            interface $Properties {
                containerId?: (string|null);
                id?: (string|null);
                pid?: (number|null);
                exitStatus?: (number|null);
                exitedAt?: (google.protobuf.Timestamp.$Properties|null);
                $unknowns?: Uint8Array[];
            }
            type $Shape = containerd.events.TaskExit.$Properties;
        }

        interface ITaskOOM extends containerd.events.TaskOOM.$Properties {
        }

        class TaskOOM {
            constructor(properties?: containerd.events.TaskOOM.$Properties);
            $unknowns?: Uint8Array[];
            containerId: string;
            static create(properties: containerd.events.TaskOOM.$Shape): containerd.events.TaskOOM & containerd.events.TaskOOM.$Shape;
            static create(properties?: containerd.events.TaskOOM.$Properties): containerd.events.TaskOOM;
            static encode(message: containerd.events.TaskOOM.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): containerd.events.TaskOOM & containerd.events.TaskOOM.$Shape;
            static getTypeUrl(prefix?: string): string;
        }

        namespace TaskOOM {
            interface $Properties {
                containerId?: (string|null);
                $unknowns?: Uint8Array[];
            }
            type $Shape = containerd.events.TaskOOM.$Properties;
        }
    }

    namespace v1 {

        namespace types {

            enum Status {
                UNKNOWN = 0,
                CREATED = 1,
                RUNNING = 2,
                STOPPED = 3,
                PAUSED = 4,
                PAUSING = 5
            }

            interface IProcess extends containerd.v1.types.Process.$Properties {
            }

            class Process {
                constructor(properties?: containerd.v1.types.Process.$Properties);
                $unknowns?: Uint8Array[];
                containerId: string;
                id: string;
                pid: number;
                status: containerd.v1.types.Status;
                exitStatus: number;
                exitedAt?: (google.protobuf.Timestamp.$Properties|null);
                static create(properties: containerd.v1.types.Process.$Shape): containerd.v1.types.Process & containerd.v1.types.Process.$Shape;
                static create(properties?: containerd.v1.types.Process.$Properties): containerd.v1.types.Process;
                static encode(message: containerd.v1.types.Process.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): containerd.v1.types.Process & containerd.v1.types.Process.$Shape;
                static getTypeUrl(prefix?: string): string;
            }

            namespace Process {
                interface $Properties {
                    containerId?: (string|null);
                    id?: (string|null);
                    pid?: (number|null);
                    status?: (containerd.v1.types.Status|null);
                    exitStatus?: (number|null);
                    exitedAt?: (google.protobuf.Timestamp.$Properties|null);
                    $unknowns?: Uint8Array[];
                }
                type $Shape = containerd.v1.types.Process.$Properties;
            }
        }
    }
}

export namespace google {

    namespace protobuf {

        interface IAny extends google.protobuf.Any.$Properties {
        }

        class Any {
            constructor(properties?: google.protobuf.Any.$Properties);
            $unknowns?: Uint8Array[];
            type_url: string;
            value: Uint8Array;
            static create(properties: google.protobuf.Any.$Shape): google.protobuf.Any & google.protobuf.Any.$Shape;
            static create(properties?: google.protobuf.Any.$Properties): google.protobuf.Any;
            static encode(message: google.protobuf.Any.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): google.protobuf.Any & google.protobuf.Any.$Shape;
            static getTypeUrl(prefix?: string): string;
        }

        namespace Any {
            interface $Properties {
                type_url?: (string|null);
                value?: (Uint8Array|null);
                $unknowns?: Uint8Array[];
            }
            type $Shape = google.protobuf.Any.$Properties;
        }

        interface IFieldMask extends google.protobuf.FieldMask.$Properties {
        }

        class FieldMask {
            constructor(properties?: google.protobuf.FieldMask.$Properties);
            $unknowns?: Uint8Array[];
            paths: string[];
            static create(properties: google.protobuf.FieldMask.$Shape): google.protobuf.FieldMask & google.protobuf.FieldMask.$Shape;
            static create(properties?: google.protobuf.FieldMask.$Properties): google.protobuf.FieldMask;
            static encode(message: google.protobuf.FieldMask.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): google.protobuf.FieldMask & google.protobuf.FieldMask.$Shape;
            static getTypeUrl(prefix?: string): string;
        }

        namespace FieldMask {
            interface $Properties {
                paths?: (string[]|null);
                $unknowns?: Uint8Array[];
            }
            type $Shape = google.protobuf.FieldMask.$Properties;
        }

        interface ITimestamp extends google.protobuf.Timestamp.$Properties {
        }

        class Timestamp {
            constructor(properties?: google.protobuf.Timestamp.$Properties);
            $unknowns?: Uint8Array[];
            seconds: number;
            nanos: number;
            static create(properties: google.protobuf.Timestamp.$Shape): google.protobuf.Timestamp & google.protobuf.Timestamp.$Shape;
            static create(properties?: google.protobuf.Timestamp.$Properties): google.protobuf.Timestamp;
            static encode(message: google.protobuf.Timestamp.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): google.protobuf.Timestamp & google.protobuf.Timestamp.$Shape;
            static getTypeUrl(prefix?: string): string;
        }

        namespace Timestamp {
            interface $Properties {
                seconds?: (number|null);
                nanos?: (number|null);
                $unknowns?: Uint8Array[];
            }
            type $Shape = google.protobuf.Timestamp.$Properties;
        }

        interface IEmpty extends google.protobuf.Empty.$Properties {
        }

        class Empty {
            constructor(properties?: google.protobuf.Empty.$Properties);
            $unknowns?: Uint8Array[];
            static create(properties: google.protobuf.Empty.$Shape): google.protobuf.Empty & google.protobuf.Empty.$Shape;
            static create(properties?: google.protobuf.Empty.$Properties): google.protobuf.Empty;
            static encode(message: google.protobuf.Empty.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): google.protobuf.Empty & google.protobuf.Empty.$Shape;
            static getTypeUrl(prefix?: string): string;
        }

        namespace Empty {
            interface $Properties {
                $unknowns?: Uint8Array[];
            }
            type $Shape = google.protobuf.Empty.$Properties;
        }
    }
}
