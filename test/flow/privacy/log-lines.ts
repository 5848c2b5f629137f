/** Lines of every format with a text in each field that may hold one; where a format has a head, it stands before the line. */
export interface LinesWith {
  readonly format: string;
  readonly lines: (text: string) => string;
}

const clf = (s: string) => `${s} - ${s} [01/Jan/2025:10:00:00 +0000] "GET /users/${s}?q=${s} HTTP/1.1" 200 5`;
const combined = (s: string) => `${clf(s)} "https://h/${s}" "agent ${s}"`;
const balancer = (s: string) =>
  `0.1 0.1 0.1 200 200 34 366 "GET https://h:443/users/${s}?q=${s} HTTP/1.1" "agent ${s}"`;
const json = (value: object) => JSON.stringify(value);
const csv = (...fields: readonly string[]) => fields.map((field) => `"${field}"`).join(',');

const caddy = (s: string) => ({
  ...{ level: 'info', ts: 1735725600.5, logger: 'http.log.access', msg: 'handled request', user_id: s, status: 200 },
  request: {
    ...{ remote_ip: s, client_ip: s, proto: 'HTTP/1.1', method: 'GET', host: s, uri: `/users/${s}?q=${s}` },
    headers: { 'User-Agent': [s], Authorization: [s] },
  },
  ...{ bytes_read: 0, duration: 0.01, size: 5 },
});
const traefik = (s: string) => ({
  ...{ ClientHost: s, ClientUsername: s, DownstreamContentSize: 42, DownstreamStatus: 200, Duration: 1_500_999 },
  ...{ RequestHost: s, RequestMethod: 'GET', RequestPath: `/users/${s}?q=${s}`, RouterName: s, ServiceName: s },
  ...{ RequestProtocol: 'HTTP/1.1', StartUTC: '2025-01-01T10:00:00.678Z', request_Authorization: s },
});
const gateway = (s: string) => ({
  ...{ requestId: 'id', ip: s, caller: s, user: s, requestTime: '01/Jan/2025:10:00:00 +0000', httpMethod: 'GET' },
  ...{ resourcePath: `/users/${s}`, status: '200', protocol: 'HTTP/1.1', responseLength: '42', domainName: s },
});
const kong = (s: string) => ({
  ...{ started_at: 1735725600678, client_ip: s, consumer: { username: s, custom_id: s }, service: { name: s } },
  request: {
    ...{ method: 'GET', uri: `/users/${s}?q=${s}`, url: `http://h:8000/users/${s}`, size: '138' },
    headers: { host: s, 'user-agent': s, authorization: s },
  },
  ...{ response: { status: 200, size: '42' }, latencies: { request: 15, kong: 5, proxy: 10 } },
});
const envoyJson = (s: string) => ({
  ...{ start_time: '2025-01-01T10:00:00.678Z', method: 'GET', path: `/users/${s}?q=${s}`, protocol: 'HTTP/1.1' },
  ...{ response_code: 200, bytes_received: 5, bytes_sent: '42', duration: 15, downstream_remote_address: s },
  ...{ authority: s, user_agent: s, x_forwarded_for: s, request_id: s },
});
const nginxJson = (s: string) => ({
  ...{ time_iso8601: '2025-01-01T10:00:00+00:00', remote_addr: s, remote_user: s, status: '200' },
  ...{ request: `GET /users/${s}?q=${s} HTTP/1.1`, body_bytes_sent: '42', request_length: '138' },
  ...{ request_time: '0.015', http_user_agent: s, http_host: s, http_referer: s, http_x_forwarded_for: s },
});
const salesforce = (s: string) =>
  [
    csv(
      'EVENT_TYPE',
      'TIMESTAMP',
      'REQUEST_ID',
      'ORGANIZATION_ID',
      'USER_ID',
      'RUN_TIME',
      'URI',
      'METHOD',
      'STATUS_CODE',
      'CLIENT_IP',
      'QUERY',
      'USER_NAME',
      'TIMESTAMP_DERIVED',
    ),
    csv(
      'RestApi',
      '20250101100000.678',
      s,
      s,
      s,
      '120',
      `/services/${s}?q=${s}`,
      'GET',
      '200',
      s,
      s,
      s,
      '2025-01-01T10:00:00.678Z',
    ),
  ].join('\n');
const cloudfront = (s: string) =>
  [
    '#Version: 1.0',
    '#Fields: date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status cs(Referer) cs(User-Agent) cs-uri-query cs(Cookie) x-edge-result-type x-edge-request-id x-host-header cs-protocol cs-bytes time-taken x-forwarded-for',
    [
      '2025-01-01',
      '10:00:00',
      'FRA',
      '7',
      s,
      'GET',
      s,
      `/users/${s}`,
      '200',
      s,
      s,
      `q=${s}`,
      s,
      'Hit',
      'id',
      s,
      'https',
      '62',
      '0.1',
      s,
    ].join('\t'),
  ].join('\n');

/** By the name of the format. */
const linesByFormat: Readonly<Record<string, (text: string) => string>> = {
  combined,
  common: clf,
  'nginx-main': (s) => `${combined(s)} "${s}"`,
  'nginx-ingress': (s) => `${combined(s)} 462 0.050 [${s}] [] 10.0.5.8:80 512 0.010 200 ${'a1'.repeat(16)}`,
  'traefik-clf': (s) => `${combined(s)} 7 "r@${s}" "http://10.0.0.2:80" 25ms`,
  'apache-d': (s) => `${combined(s)} 1234`,
  'apache-vhost': (s) => `${s} ${combined(s)}`,
  'aws-alb': (s) =>
    `https 2025-01-01T10:00:00.000000Z app/lb/1 203.0.113.1:2817 10.0.0.1:80 ${balancer(s)} - - arn "Root=1" "${s}" "-" 0 2025-01-01T10:00:00.000000Z "forward" "-" "-" "10.0.0.1:80" "200" "-" "-"`,
  'aws-elb-classic': (s) => `2025-01-01T10:00:00.000000Z lb 203.0.113.1:2817 10.0.0.1:80 ${balancer(s)} - -`,
  'aws-cloudfront': cloudfront,
  'aws-s3': (s) =>
    `79a5 bucket [01/Jan/2025:10:00:00 +0000] ${s} ${s} 3E57 REST.GET.OBJECT users/${s} "GET /users/${s}?q=${s} HTTP/1.1" 200 - 113 200 7 5 "https://h/${s}" "agent ${s}" - host SigV4 ECDHE AuthHeader ${s} TLSv1.2 - -`,
  'aws-apigateway-json': (s) => json(gateway(s)),
  'caddy-json': (s) => json(caddy(s)),
  'traefik-json': (s) => json(traefik(s)),
  'kong-json': (s) => json(kong(s)),
  'envoy-json': (s) => json(envoyJson(s)),
  'nginx-json': (s) => json(nginxJson(s)),
  envoy: (s) =>
    `[2025-01-01T10:00:00.678Z] "GET /users/${s}?q=${s} HTTP/2" 200 - 154 0 226 100 "${s}" "agent ${s}" "id" "${s}" "tcp://10.0.2.1:80"`,
  'haproxy-http': (s) =>
    `203.0.113.1:5000 [01/Jan/2025:10:00:00.678] front~ back/one 0/0/0/1/2 200 739 - - ---- 5/4/3/2/0 0/0 {${s}} {${s}} "GET /users/${s}?q=${s} HTTP/1.1"`,
  'nginx-proxy-manager': (s) =>
    `[01/Jan/2025:10:00:00 +0000] HIT 502 200 - GET https ${s} "/users/${s}?q=${s}" [Client ${s}] [Length 42] [Gzip 2.1] [Sent-to 10.0.0.1] "agent ${s}" "https://h/${s}"`,
  npmplus: (s) =>
    `[01/Jan/2025:10:00:00 +0000] ${s} ${s} 0.123 "GET /users/${s}?q=${s} HTTP/2.0" 200 10 300 https://from/${s} agent ${s}`,
  'salesforce-elf': salesforce,
  squid: (s) =>
    `1735725600.678     16 ${s} TCP_MISS/200 2014 GET http://h/users/${s}?q=${s} ${s} HIER_DIRECT/10.0.0.1 text/plain`,
  'pattern:$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_x_api_key"': (s) =>
    `${clf(s)} "${s}"`,
  'pattern:%h %l %u %t "%r" %>s %b "%{User-Agent}i" %D': (s) => `${clf(s)} "agent ${s}" 1234`,
};

export const logLines: readonly LinesWith[] = Object.entries(linesByFormat).map(([format, lines]) => ({
  format,
  lines,
}));
