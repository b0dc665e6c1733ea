import assert from 'node:assert/strict';
import { UserError } from '../../../emulator/util/assert';
import { unxz } from '../../../emulator/util/xz';

/** Made by liblzma, from what the functions below make. */
const PACKED = {
  text: '/Td6WFoAAAFpIt42AgAhARYAAAB0L+Wj4DseATNdADYaSh8IoCYDTQad7+2MoT/IOM9thS+aaJmfL/bA0qMCNuh6N3wj781CW6ojK/PA945pwThcSdSIV52VusKdJbD/5kw8ZKFjLmvuzQl4k5T5py/6HDfUROJ58rV1P6DxX+wfOOjH4MPzymX8iAt3qK4UTF9q5pLCdN8Ru/Os5Bulq3LGiA9woBK7QhqoBYO3RjlKRS5cj9oeQMuYVbRC70gI2jgYWwkNJYk4dZwXAqGUBiqnCPbyY8NqXzrbIAF4LL8mg9BD2ld90ROy1xC3/Z1x2B3fE4E5n9XgL9Vq4KazCGh4mQOfI18mOucR9bma6kHoSzFCKG5TwktOgzd5Ea/iYsv9z9pkyH21BBRPjbBq+Vc4VoFXabxe7qXHUu1SKkNj/z5ansxRkR/BViFCJWEDWScAAFZpm/0AAcsCn3YAANqM5Xc+MA2LAgAAAAABWVo=',
  positions: '/Td6WFoAAAFpIt42AgAhARYAAAB0L+Wj4DseAUMSADYbHRTfEeYDbEjHYBAzGi4VVc1PdPg8R4L3hnd2eaNm2GuX/ulR6Eev0hfB2KVOJTkrJMOs/1CV1piNxi7s7OCPNkBgtwhHXl3QeUM9baKIsRZL8GL5/Ay3s3jjd/83rgnhjczWg+CGg/zYteEda5jHX7c2bR1zYQ2xXKyI+Icj6+aREfWmcFC7zkcgR6RKig4R8WK8n2BvSJzl2YDsRy2cgb099jR5MIfwr5bg2wlKKS48DXdzUrVULu0aq64GDeulMJcvUnVbDViO8Bf5vT1o8HjvCayW2pOkcrvpAobQ4YijW6WeDc6KJ9PEH+UxsWnIG7GTXdWWdRVOs0fLsqpQeioE4h/5KaeH+LU0s0qglG0KIXVmUXOHkrgsBMuicJwOD3oyn3tWzyBlwzk6ldnQSfuaJsFNyTyqG+nG2DY6/B9KAABWaZv9AAHbAp92AABBjjN0PjANiwIAAAAAAVla',
  code: '/Td6WFoAAAFpIt42AgEEACEBFgANhjUf4AlfBCJdAHQBPBk4txVT+xf/qLCbAQhCYCs2ypbKItCdvqmwgz/oGLvlerPbknZ8t2KIvZUSyl0op04q9ENzWwcO2vWXY6yDCNN1kjRa+SY6V6i1aZnIWsBH/zz+KYerGbERwdIuFCzaVLcHf45K0BOkG3BAKxTOrBcihpnfMgOw+AHmHIh4ZzLZ0ydLBLGfc05uS2I+0HzSDKwuilz0LFePrfR7syoighH28PdK8IkhRDPqU5varApwcgnBPpSpmyU0RtO7cJD1ivxDisvddKzKHnPyJd7ESs+umRaR4v2MUJYdvZQLexbRokc4mNyoQTK/9d461dptAJUWYr8mUC8YO+Y1WXrQHMuANvT2NzPxIHBC6lSfpPJs6fd11A10ETMZURPuIWsVQnjHOUtGvNlAgO3RgHpxj+Y5tGo5aR7F3A0ILjSt0tbbgLIiz9E7hIjNbEa/LMqNSE0laAUfcOjStc34L3ZC9mxIwcnRbVy/ZgUDkA7yqt4Ab9qDaZ0K7THufREtzg0BJZZNUNtzLUKcCRdiY2BzAAaiyZH4m/rLpamy55MVewS05V3dGKiGWqbC13G9kdnoOwpT0xi7gJbSlsS3e8TfTWGowUVO2i9+AQrUwhC1Q9o/EYx4VPxM+OZskKuFEbkuIwNF3S8z52xGP8I+VjeDVh39tvaoLXnRcsgShWI4LzsgAhcKJBvCUTSoHumIuM5HUdztjWS6Ee48NiRRvaB1IFgbG0g0kPHwEQ8n1KDkalHV1LXpsod7NcQiUpl/Yr9OoLm7Ay5LkvNlolBGqm/P9WWoqoMZiY2l5iFliai56yJqB9M6HVt6K2Gv1RFjNZh4V2U7bXehfq2IOwdBuTSQa39SmZXa0cT0pHdy6hNlLCymK8i0QbOJJ0ql4RgcyhZrww3xBKS8MZVfSKzxyAtoxJ0vTM84rChXalR2Hi6wb7zfwUt406Eoej0zheToGFVAsnj0LS45gkgdVFTp/DjPBfXiPgAIW0AysRz4OGZZBHdKIg6hYNcrPwy6Cnnk14B5LlIiF+tOwF7bTS9BVJFfbIADsMLjkIHdPgwEjdaNGDa96fZPcg7z7iJs6wq3kV0cX/pi27cgcUMFDK+M7hDx2IsvZMlxACLMKrlSN8Ss50Q4THAjbEG5vA5o0ZCHbwgyp3Ji4rCx1WxZK4JqkM9CKSdkUAF8NoCg9qtyht8U1BfVcGj699wTZveGVhIzIl6dJbyOpmsyLNU57H70QeAcOXUAdr/gvBn588LaS+A/QXA30FvDMdw3xu9JkU0DaynOwntwjj9ejm+WCqMOPny7JNyfOJ7XIMbLrBFaY2TbH+ZJHlIuWTxd0IB3VglsY4Q/UaHhrmBwdgFStD3QYm9C6Bk/Y/l+yBrd1MY6YND3uOVvapJBrggCtGBl7aOkQ+TQAAAAphKVKQABugjgEgAAKZmpgT4wDYsCAAAAAAFZWg==',
}; // prettier-ignore
const bytes = (base64: string): Uint8Array => new Uint8Array(Buffer.from(base64, 'base64'));

const text = (): Uint8Array =>
  new TextEncoder().encode(
    Array.from({ length: 400 }, (_, i) => `line ${(i * i) % 97} of a text that repeats itself\n`).join(''),
  );
/** Calls whose targets the filter makes absolute. */
function code(): Uint8Array {
  const out: number[] = [];
  for (let i = 0; i < 300; i++) {
    const target = (((i * 7919 - out.length) % 0x200_0000) + 0x200_0000) % 0x200_0000;
    out.push(0xe8, target & 255, (target >> 8) & 255, (target >> 16) & 255, target >> 24, 0x90, i % 5 ? 0x48 : 0xe9, i & 255);
  }
  return Uint8Array.from(out);
} // prettier-ignore

describe('xz', () => {
  const rows: [string, string, Uint8Array][] = [
    ['text', PACKED.text, text()],
    ['other context bits', PACKED.positions, text()],
    ['code, by the filter for x86', PACKED.code, code()],
  ];
  for (const [name, packed, plain] of rows)
    it(`unpacks ${name}`, () => assert.deepEqual(Buffer.from(unxz(name, bytes(packed))), Buffer.from(plain)));

  it('damage is told, wherever it is, and nothing else is thrown', () => {
    const good = bytes(PACKED.text);
    let told = 0;
    for (let at = 12; at < good.length - 40; at++) {
      const bad = good.slice();
      bad[at] ^= 0x41;
      try {
        unxz('kernel', bad);
      } catch (error) {
        assert.ok(error instanceof UserError, `${error}`);
        assert.match(error.message, /^kernel: its xz data is damaged \(.+\); build or download it again\.$/);
        told++;
      }
    }
    assert.ok(told > (good.length - 52) / 2, `${told} of ${good.length - 52}`);
    assert.throws(() => unxz('kernel', good.subarray(0, 60)), UserError);
  });
});
