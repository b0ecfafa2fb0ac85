declare const brand: unique symbol;
/** A `Base` that only its own parser can make: keeps ids and indexes of different kinds apart at no cost. */
export type Brand<Base, Name extends string> = Base & { readonly [brand]: Name };
