/** The FOCUS category of a service by words of its name or code; the first that fits. What fits none is `Other`. */
const words: readonly (readonly [category: string, pattern: RegExp])[] = [
  [
    'AI and Machine Learning',
    /bedrock|sagemaker|vertex|machine learning|openai|cognitive|gemini|rekognition|comprehend/i,
  ],
  [
    'Databases',
    /rds|dynamo|aurora|redshift|elasticache|documentdb|neptune|sql|cosmos|spanner|bigtable|firestore|redis|memorystore|database|alloydb/i,
  ],
  [
    'Analytics',
    /athena|glue|kinesis|emr|quicksight|bigquery|dataflow|dataproc|synapse|databricks|data factory|opensearch|log analytics|event hubs/i,
  ],
  ['Storage', /s3|glacier|efs|fsx|backup|storage|disk/i],
  [
    'Networking',
    /vpc|cloudfront|route53|route 53|elb|load balanc|gateway|directconnect|bandwidth|network|dns|cdn|front door|vpn|data transfer|interconnect/i,
  ],
  ['Security', /kms|guardduty|waf|shield|secret|inspector|macie|defender|key vault|security|sentinel|armor/i],
  ['Management and Governance', /cloudwatch|cloudtrail|config|monitor|logging|support|systems manager|automation/i],
  ['Integration', /sqs|sns|eventbridge|stepfunctions|pub\/sub|service bus|queue|logic apps|apigateway/i],
  [
    'Compute',
    /ec2|lambda|ecs|eks|fargate|batch|compute|virtual machine|functions|app service|app engine|cloud run|container|kubernetes|virtual machines/i,
  ],
];

/** Gives the FOCUS ServiceCategory of a service that a provider only names. */
export function serviceCategory(service: string): string {
  return words.find(([, pattern]) => pattern.test(service))?.[0] ?? 'Other';
}
