/** One server of a cluster, as its peers reach it. */
export interface ShardAddress {
  readonly tcpPort: number;
}

/** A named cluster in which every shard has one server on loopback. */
export interface ClusterShape {
  readonly name: string;
  readonly shards: readonly ShardAddress[];
  /** Which of the shards this server is, from 0; fills the macro {shard}. */
  readonly own: number;
}

/** Compiling an expression takes longer than to run it over a test's few rows. */
const noCompiler = ['expressions', 'aggregate_expressions', 'sort_description']
  .map((what) => `<compile_${what}>0</compile_${what}>`)
  .join('');

/** Writes the smallest configuration with which ClickHouse serves: a user without password that only loopback reaches. */
export function clickhouseConfig(cluster?: ClusterShape): string {
  return `<clickhouse>
  <users>
    <default>
      <password></password>
      <networks><ip>127.0.0.1</ip><ip>::1</ip></networks>
      <profile>default</profile>
      <quota>default</quota>
      <access_management>1</access_management>
    </default>
  </users>
  <profiles><default>
    <max_threads>2</max_threads>${noCompiler}
  </default></profiles>
  <quotas><default></default></quotas>
  <mark_cache_size>67108864</mark_cache_size>${cluster ? clusterConfig(cluster) : ''}
</clickhouse>
`;
}

function clusterConfig({ name, shards, own }: ClusterShape): string {
  const replicas = shards.map(
    ({ tcpPort }) => `
    <shard>
      <internal_replication>true</internal_replication>
      <replica><host>127.0.0.1</host><port>${tcpPort}</port></replica>
    </shard>`,
  );
  return `
  <macros><shard>${own + 1}</shard><cluster>${name}</cluster></macros>
  <remote_servers><${name}>${replicas.join('')}
  </${name}></remote_servers>`;
}
