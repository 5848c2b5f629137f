import { formatInstant, monthOf } from '../../model/index.ts';
import { GATEWAY } from './services.ts';
import type { Simulation } from './shape.ts';

/** Writes the Boundary and the CostModel that fit a simulation, as one YAML text of two documents. */
export function documentsOf(sim: Simulation): string {
  const effectiveFrom = formatInstant(monthOf(sim.fromMs).fromMs).slice(0, 10);
  return `apiVersion: taximeter/v1
kind: Boundary
metadata: { name: shop }
spec: { services: [${GATEWAY}] }
---
apiVersion: taximeter/v1
kind: CostModel
metadata: { name: shop, effectiveFrom: ${effectiveFrom} }
spec:
  currency: USD
  basis: effective
  pools:
    - id: nodes
      kind: direct
      match: { ServiceName: ['Amazon Elastic Compute Cloud', 'AWS Savings Plans'], ChargeCategory: [Usage, Credit] }
      split: { over: service, by: k8s.pod.cpu.usage }
      driver: busy_us
    - id: control-plane
      kind: direct
      match: { ServiceName: 'Amazon Elastic Kubernetes Service' }
      driver: busy_us
    - id: database
      kind: direct
      match: { ServiceCategory: Databases }
      driver: db_us
    - id: edge
      kind: direct
      match: { ServiceName: 'Elastic Load Balancing' }
      driver: calls
    - id: egress
      kind: direct
      match: { ServiceName: 'AWS Data Transfer' }
      services: [${GATEWAY}]
      driver: bytes_out
    - id: network
      kind: direct
      match: { ServiceName: 'Amazon Virtual Private Cloud' }
      driver: ext_calls
    - id: logs
      kind: indirect
      match: { ServiceName: AmazonCloudWatch }
      driver: spans
    - id: overhead
      kind: indirect
      match: { ChargeCategory: [Tax, Purchase] }
      driver: calls
    - id: oncall
      kind: indirect
      fixed: { amount: '744.10', per: month, spread: hours }
      driver: calls
    - id: tooling
      kind: indirect
      fixed: { amount: '90.00', per: month, spread: period }
      driver: busy_us
      services: [${GATEWAY}, orders, billing]
`;
}
