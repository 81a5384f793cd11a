import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseRoute, routeTo } from '../../src/router.js';
import { splitToken } from '../../src/session.js';

test('an empty address is the overview', () => {
  for (const fragment of ['', '#', '#/', '#/overview']) assert.equal(parseRoute(fragment).view, 'overview');
});

test('a route survives being written and read', () => {
  for (const name of ['client-01', 'a/b', 'ü &?#=%', '<b>', '..']) {
    const route = parseRoute(routeTo('devices', { item: name, run: 'run=1&2', parameters: { find: 'x y' } }));
    assert.equal(route.view, 'devices');
    assert.equal(route.item, name);
    assert.equal(route.run, 'run=1&2');
    assert.equal(route.parameters.get('find'), 'x y');
  }
});

test('what is no view is unknown', () => {
  for (const fragment of ['#/nothing', '#/rounds/abc', '#/model/x', '#/rounds/1/2'])
    assert.equal(parseRoute(fragment).view, 'unknown', fragment);
});

test('a malformed escape is taken literally', () => {
  assert.equal(parseRoute('#/devices/%zz').item, '%zz');
});

test('the token is taken out of the fragment', () => {
  assert.deepEqual(splitToken('#token=abc%2F1'), { token: 'abc/1', rest: '' });
  assert.deepEqual(splitToken('#/rounds/3&token=t'), { token: 't', rest: '/rounds/3' });
  assert.deepEqual(splitToken('#token=t&/rounds'), { token: 't', rest: '/rounds' });
  assert.deepEqual(splitToken('#/devices/token=1'), { token: null, rest: '/devices/token=1' });
});
