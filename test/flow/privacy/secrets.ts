/** What must be found nowhere: an address of each kind, an e-mail address plain and encoded, a card, keys and tokens. */
export const secrets = [
  'ada.lovelace@example.com',
  'ada.lovelace%40example.com',
  '203.0.113.77',
  '2001:db8:85a3::8a2e:370:7334',
  '4111 1111 1111 1111',
  '4111111111111111',
  'sk_live_51HxAbCdEfGhIjKl',
  'Bearer abcdefghijklmnop0123456789',
  'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhZGEifQ.c2lnbmF0dXJl',
];
