import { createFileRegistry, type DescMessage, fromJson, type JsonObject, type Registry } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';

/** A field as .proto files number it: a scalar or a message, with a star where there are many; and the oneof that it is of. */
export type Field = readonly [name: string, number: number, type: string, oneof?: string];

/** Messages for @bufbuild/protobuf, as a .proto file would describe them. */
export function protobufPackage(
  name: string,
  messages: Readonly<Record<string, readonly Field[]>>,
): { readonly registry: Registry; readonly typeOf: (message: string) => DescMessage } {
  const messageType = Object.entries(messages).map(([message, fields]) => {
    const oneofs = [...new Set(fields.flatMap(([, , , oneof]) => oneof ?? []))];
    return {
      name: message,
      field: fields.map((field) => fieldOf(field, oneofs, name, messages)),
      oneofDecl: oneofs.map((oneof) => ({ name: oneof })),
    };
  });
  const file = [{ name: `${name}.proto`, package: name, syntax: 'proto3', messageType }];
  const registry = createFileRegistry(fromJson(FileDescriptorSetSchema, { file }));
  return { registry, typeOf: (message) => registry.getMessage(`${name}.${message}`)! };
}

function fieldOf(
  [name, number, type, oneof]: Field,
  oneofs: readonly string[],
  packageName: string,
  messages: Readonly<Record<string, unknown>>,
): JsonObject {
  const jsonName = name.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase());
  const label = type.endsWith('*') ? 'LABEL_REPEATED' : 'LABEL_OPTIONAL';
  const plain = type.replace('*', '');
  const typed: JsonObject =
    plain in messages
      ? { type: 'TYPE_MESSAGE', typeName: `.${packageName}.${plain}` }
      : { type: `TYPE_${plain.toUpperCase()}` };
  return {
    ...{ name, jsonName, number, label },
    ...typed,
    ...(oneof === undefined ? {} : { oneofIndex: oneofs.indexOf(oneof) }),
    ...(oneof === `_${name}` ? { proto3Optional: true } : {}),
  };
}
