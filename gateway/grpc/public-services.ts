// grpc.health.v1 and grpc.reflection in v1 and v1alpha, as their public .proto files have them: the same facts give the service
// definitions and what reflection tells of them.

import type protobuf from 'protobufjs'

type Json = protobuf.INamespace

export interface PublicFile {
  /** The name under which everybody knows the file. */
  readonly name: string
  readonly package: string
  readonly json: Json
}

// https://github.com/grpc/grpc/blob/master/src/proto/grpc/health/v1/health.proto
const health: Json = {
  nested: {
    Health: {
      methods: {
        Check: { requestType: 'HealthCheckRequest', responseType: 'HealthCheckResponse' },
        Watch: { requestType: 'HealthCheckRequest', responseType: 'HealthCheckResponse', responseStream: true },
      },
    },
    HealthCheckRequest: { fields: { service: { id: 1, type: 'string' } } },
    HealthCheckResponse: {
      fields: { status: { id: 1, type: 'ServingStatus' } },
      nested: { ServingStatus: { values: { UNKNOWN: 0, SERVING: 1, NOT_SERVING: 2, SERVICE_UNKNOWN: 3 } } },
    },
  },
}

// https://github.com/grpc/grpc/blob/master/src/proto/grpc/reflection/v1alpha/reflection.proto
const reflection: Json = {
  nested: {
    ServerReflection: {
      methods: {
        ServerReflectionInfo: {
          requestType: 'ServerReflectionRequest',
          requestStream: true,
          responseType: 'ServerReflectionResponse',
          responseStream: true,
        },
      },
    },
    ServerReflectionRequest: {
      oneofs: {
        messageRequest: {
          oneof: [
            'fileByFilename',
            'fileContainingSymbol',
            'fileContainingExtension',
            'allExtensionNumbersOfType',
            'listServices',
          ],
        },
      },
      fields: {
        host: { id: 1, type: 'string' },
        fileByFilename: { id: 3, type: 'string' },
        fileContainingSymbol: { id: 4, type: 'string' },
        fileContainingExtension: { id: 5, type: 'ExtensionRequest' },
        allExtensionNumbersOfType: { id: 6, type: 'string' },
        listServices: { id: 7, type: 'string' },
      },
    },
    ExtensionRequest: {
      fields: { containingType: { id: 1, type: 'string' }, extensionNumber: { id: 2, type: 'int32' } },
    },
    ServerReflectionResponse: {
      oneofs: {
        messageResponse: {
          oneof: ['fileDescriptorResponse', 'allExtensionNumbersResponse', 'listServicesResponse', 'errorResponse'],
        },
      },
      fields: {
        validHost: { id: 1, type: 'string' },
        originalRequest: { id: 2, type: 'ServerReflectionRequest' },
        fileDescriptorResponse: { id: 4, type: 'FileDescriptorResponse' },
        allExtensionNumbersResponse: { id: 5, type: 'ExtensionNumberResponse' },
        listServicesResponse: { id: 6, type: 'ListServiceResponse' },
        errorResponse: { id: 7, type: 'ErrorResponse' },
      },
    },
    FileDescriptorResponse: { fields: { fileDescriptorProto: { id: 1, rule: 'repeated', type: 'bytes' } } },
    ExtensionNumberResponse: {
      fields: { baseTypeName: { id: 1, type: 'string' }, extensionNumber: { id: 2, rule: 'repeated', type: 'int32' } },
    },
    ListServiceResponse: { fields: { service: { id: 1, rule: 'repeated', type: 'ServiceResponse' } } },
    ServiceResponse: { fields: { name: { id: 1, type: 'string' } } },
    ErrorResponse: { fields: { errorCode: { id: 1, type: 'int32' }, errorMessage: { id: 2, type: 'string' } } },
  },
}

export const healthFile: PublicFile = { name: 'grpc/health/v1/health.proto', package: 'grpc.health.v1', json: health }

export const reflectionFiles: readonly PublicFile[] = ['v1', 'v1alpha'].map((version) => ({
  name: `grpc/reflection/${version}/reflection.proto`,
  package: `grpc.reflection.${version}`,
  json: reflection,
}))

/** The file as protobufjs's `Root.fromJSON` takes it. */
export const rootJson = ({ package: package_, json }: PublicFile): Json =>
  package_.split('.').reduceRight<Json>((inner, part) => ({ nested: { [part]: inner } }), json)
