import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { templateName, templatePath } from './path-template.ts';

describe('a raw path becomes a template', () => {
  it.each([
    ['/v1/users/42', '/v1/users/{id}'],
    ['/v1/users/42?token=secret#top', '/v1/users/{id}'],
    ['/v2.1/orders/2024-05-01/items', '/v2.1/orders/{date}/items'],
    ['/files/3f2504e0-4f89-11d3-9a0c-0305e82c3301', '/files/{id}'],
    ['/objects/507f1f77bcf86cd799439011', '/objects/{id}'],
    ['/people/ada@example.com/mail', '/people/{email}/mail'],
    ['/people/ada%40example.com', '/people/{email}'],
    ['/people/a@b@c', '/people/{email}'],
    ['/hosts/192.168.0.1', '/hosts/{ip}'],
    ['/peers/2001:db8::1', '/peers/{ip}'],
    ['/x/fe80::1%25eth0/y', '/x/{ip}/y'],
    ['/x/::1', '/x/{ip}'],
    ['/x/[2001:db8::1]:443', '/x/{ip}'],
    ['/x/2001%3Adb8%3A%3A1', '/x/{ip}'],
    ['/x/Feed::Add', '/x/Feed::Add'],
    ['/oauth2/token', '/oauth2/token'],
    ['/cart/add', '/cart/add'],
    ['/', '/'],
    ['', '/'],
    ['//double//slash/', '/double/slash'],
    ['/already/{user_id}/there', '/already/{user_id}/there'],
    ['/{ada@example.com}', '/{email}'],
    ['/a/b/c/d/e/f/g/h/i/j/k/l/m/n', '/a/b/c/d/e/f/g/h/i/j/k/l/…'],
  ])('%s -> %s', (path, template) => {
    expect(templatePath(path)).toBe(template);
  });

  const segment = fc.oneof(
    fc.string({ maxLength: 20 }),
    fc.stringMatching(/^[a-z@%.{}0-9-]{0,70}$/),
    fc.constantFrom('{id}', 'v1', 'users', 'a%40b', 'a@b', '2024-01-01T', 'é'.repeat(80)),
  );
  const path = fc.array(segment, { maxLength: 16 }).map((segments) => `/${segments.join('/')}`);

  it('a template is its own template, and short', () => {
    fc.assert(
      fc.property(path, (raw) => {
        const template = templatePath(raw);
        expect(templatePath(template)).toBe(template);
        expect(template.length).toBeLessThanOrEqual(200);
      }),
      { numRuns: 2000 },
    );
  });

  it('random ids of one shape give one template', () => {
    const ids: fc.Arbitrary<string>[] = [
      fc.uuid(),
      fc.nat().map(String),
      fc.stringMatching(/^[0-9a-f]{24}$/),
      fc.stringMatching(/^ord-[0-9]{4,9}$/),
      fc.emailAddress(),
      fc.ipV4(),
    ];
    for (const id of ids) {
      fc.assert(
        fc.property(id, id, (one, other) => {
          const encoded = (text: string) => encodeURIComponent(text);
          expect(templatePath(`/things/${encoded(one)}/parts`)).toBe(templatePath(`/things/${encoded(other)}/parts`));
        }),
      );
    }
  });

  it('nothing that looks like an address or a query is left', () => {
    fc.assert(
      fc.property(path, fc.emailAddress(), fc.ipV4(), (raw, email, ip) => {
        const bare = raw.replace(/[?#;].*/, '');
        const template = templatePath(`/mail/${email.replace(/[/?#;]/g, 'x')}/from/${ip}${bare}?q=${email}`);
        expect(template).toMatch(/^\/mail\/\{email\}\/from\/\{ip\}/);
        expect(template).not.toContain('?');
      }),
    );
  });
});

describe('a span name becomes safe', () => {
  it.each([
    ['GET /users/42', 'GET /users/{id}'],
    ['checkout', 'checkout'],
    ['mail to ada@example.com', 'mail to {email}'],
    ['SELECT 12345', 'SELECT {id}'],
    ['one two three four five six seven', 'one two three four five six'],
    ['GET https://shop.example/u/42?session=abc', 'GET /u/{id}'],
    ['HTTP GET http://shop.example?q=flu', 'HTTP GET /'],
    ['find users?name=jane#top', 'find users'],
    ['what is this? #', 'what is this? #'],
    ['lookup 2001:db8::1', 'lookup {ip}'],
    ['', ''],
  ])('%s -> %s', (name, safe) => {
    expect(templateName(name)).toBe(safe);
  });
});
