/**
 * Names that GNU as 2.40 and NASM 2.16 know and the emulator has no row for: AVX-512, AMX, XOP, SGX, 3DNow! and the like.
 * Known as names, so that nobody is told that they do not exist; their operands are the assembler's affair. In alphabetical order.
 */
const NAMES = `
aadd aand aesdec128kl aesdec256kl aesdecwide128kl aesdecwide256kl aesenc128kl aesenc256kl aesencwide128kl aesencwide256kl aor axor bb0_reset bb1_reset
blcfill blci blcic blcmsk blcs blsfill blsic bndcl bndcn bndcu bndldx bndmk bndmov bndstx cldemote clr clrssbsy clui clzero cmpaexadd cmpaxadd
cmpbexadd cmpbxadd cmpcxadd cmpexadd cmpgexadd cmpgxadd cmplexadd cmplxadd cmpnaexadd cmpnaxadd cmpnbexadd cmpnbxadd cmpncxadd cmpnexadd cmpngexadd
cmpngxadd cmpnlexadd cmpnlxadd cmpnoxadd cmpnpxadd cmpnsxadd cmpnzxadd cmpoxadd cmppexadd cmppoxadd cmppxadd cmpsxadd cmpxchg486 cmpzxadd encls enclu
enclv encodekey128 encodekey256 enqcmd enqcmds extrq fcompi femms frstpm fucompi getsec getsecq gf2p8affineinvqb gf2p8affineqb gf2p8mulb hint_nop0
hint_nop1 hint_nop10 hint_nop11 hint_nop12 hint_nop13 hint_nop14 hint_nop15 hint_nop16 hint_nop17 hint_nop18 hint_nop19 hint_nop2 hint_nop20
hint_nop21 hint_nop22 hint_nop23 hint_nop24 hint_nop25 hint_nop26 hint_nop27 hint_nop28 hint_nop29 hint_nop3 hint_nop30 hint_nop31 hint_nop32
hint_nop33 hint_nop34 hint_nop35 hint_nop36 hint_nop37 hint_nop38 hint_nop39 hint_nop4 hint_nop40 hint_nop41 hint_nop42 hint_nop43 hint_nop44
hint_nop45 hint_nop46 hint_nop47 hint_nop48 hint_nop49 hint_nop5 hint_nop50 hint_nop51 hint_nop52 hint_nop53 hint_nop54 hint_nop55 hint_nop56
hint_nop57 hint_nop58 hint_nop59 hint_nop6 hint_nop60 hint_nop61 hint_nop62 hint_nop63 hint_nop7 hint_nop8 hint_nop9 hreset ibts incsspd incsspq
insertq invlpgb jmpe kadd kaddb kaddd kaddq kaddw kand kandb kandd kandn kandnb kandnd kandnq kandnw kandq kandw kmov kmovb kmovd kmovq kmovw knot knotb knotd
knotq knotw kor korb kord korq kortest kortestb kortestd kortestq kortestw korw kshiftl kshiftlb kshiftld kshiftlq kshiftlw kshiftr kshiftrb kshiftrd
kshiftrq kshiftrw ktest ktestb ktestd ktestq ktestw kunpck kunpckbw kunpckdq kunpckwd kxnor kxnorb kxnord kxnorq kxnorw kxor kxorb kxord kxorq kxorw
ldtilecfg llwpcb loadall loadall286 loadiwkey lwpins lwpval mcommit monitor monitorx montmul movdir64b movdiri movntsd movntss mwait mwaitx paddsiw
paveb pavgusb pcommit pconfig pdistib pextrq pf2id pf2iw pfacc pfadd pfcmpeq pfcmpge pfcmpgt pfmax pfmin pfmul pfnacc pfpnacc pfrcp pfrcpit1 pfrcpit2
pfrcpv pfrsqit1 pfrsqrt pfrsqrtv pfsub pfsubr pi2fd pi2fw pinsrq pmachriw pmagw pmulhriw pmulhrw pmulhrwa pmulhrwc pmvgezb pmvlzb pmvnzb pmvzb
prefetchit0 prefetchit1 prefetchwt1 psmash psubsiw pswapd ptwrite pvalidate rdm rdmsrlist rdpkru rdpru rdshr rdsspd rdsspq retfd retfq retfw retnd
retnq retnw retq retw retd rmpadjust rmpquery rmpupdate rsdc rsldt rstorssp rsts saveprevssp seamcall seamops seamret senduipi serialize setssbsy slwpcb smi smint
smintold smov ssca sttilecfg stui svdc svldt svts t1mskc tdcall tdpbf16ps tdpbssd tdpbsud tdpbusd tdpbuud tdpfp16ps testui tileloadd tileloaddt1
tilerelease tilestored tilezero tlbsync tpause tzmsk ud2a ud2b uiret umonitor umov umwait v4dpwssd v4dpwssds v4fmaddps v4fmaddss v4fnmaddps v4fnmaddss
vaddph vaddsh valignd valignq vbcstnebf162ps vbcstnebf16ps vbcstnesh2ps vblendmpd vblendmps vbroadcastf32x2 vbroadcastf32x4 vbroadcastf32x8
vbroadcastf64x2 vbroadcastf64x4 vbroadcasti32x2 vbroadcasti32x4 vbroadcasti32x8 vbroadcasti64x2 vbroadcasti64x4 vcmpeq_oqph vcmpeq_oqsh vcmpeq_osph
vcmpeq_ossh vcmpeq_uqph vcmpeq_uqsh vcmpeq_usph vcmpeq_ussh vcmpeqph vcmpeqsh vcmpfalse_oqph vcmpfalse_oqsh vcmpfalse_osph vcmpfalse_ossh vcmpfalseph
vcmpfalsesh vcmpge_oqph vcmpge_oqsh vcmpge_osph vcmpge_ossh vcmpgeph vcmpgesh vcmpgt_oqph vcmpgt_oqsh vcmpgt_osph vcmpgt_ossh vcmpgtph vcmpgtsh
vcmple_oqph vcmple_oqsh vcmple_osph vcmple_ossh vcmpleph vcmplesh vcmplt_oqph vcmplt_oqsh vcmplt_osph vcmplt_ossh vcmpltph vcmpltsh vcmpneq_oqph
vcmpneq_oqsh vcmpneq_osph vcmpneq_ossh vcmpneq_uqph vcmpneq_uqsh vcmpneq_usph vcmpneq_ussh vcmpneqph vcmpneqsh vcmpnge_uqph vcmpnge_uqsh vcmpnge_usph
vcmpnge_ussh vcmpngeph vcmpngesh vcmpngt_uqph vcmpngt_uqsh vcmpngt_usph vcmpngt_ussh vcmpngtph vcmpngtsh vcmpnle_uqph vcmpnle_uqsh vcmpnle_usph
vcmpnle_ussh vcmpnleph vcmpnlesh vcmpnlt_uqph vcmpnlt_uqsh vcmpnlt_usph vcmpnlt_ussh vcmpnltph vcmpnltsh vcmpord_qph vcmpord_qsh vcmpord_sph
vcmpord_ssh vcmpordph vcmpordsh vcmpph vcmpsh vcmptrue_uqph vcmptrue_uqsh vcmptrue_usph vcmptrue_ussh vcmptrueph vcmptruesh vcmpunord_qph
vcmpunord_qsh vcmpunord_sph vcmpunord_ssh vcmpunordph vcmpunordsh vcomish vcompresspd vcompressps vcvtdq2ph vcvtdq2phx vcvtdq2phy vcvtne2ps2bf16
vcvtneebf162ps vcvtneeph2ps vcvtneobf162ps vcvtneoph2ps vcvtneps2bf16 vcvtneps2bf16x vcvtneps2bf16y vcvtpd2dqx vcvtpd2dqy vcvtpd2ph vcvtpd2phx
vcvtpd2phy vcvtpd2phz vcvtpd2psx vcvtpd2psy vcvtpd2qq vcvtpd2udq vcvtpd2udqx vcvtpd2udqy vcvtpd2uqq vcvtph2dq vcvtph2pd vcvtph2psx vcvtph2qq
vcvtph2udq vcvtph2uqq vcvtph2uw vcvtph2w vcvtps2phx vcvtps2phxx vcvtps2phxy vcvtps2qq vcvtps2udq vcvtps2uqq vcvtqq2pd vcvtqq2ph vcvtqq2phx vcvtqq2phy
vcvtqq2phz vcvtqq2ps vcvtqq2psx vcvtqq2psy vcvtsd2sh vcvtsd2usi vcvtsh2sd vcvtsh2si vcvtsh2ss vcvtsh2usi vcvtsi2sh vcvtss2sh vcvtss2usi vcvttpd2dqx
vcvttpd2dqy vcvttpd2qq vcvttpd2udq vcvttpd2udqx vcvttpd2udqy vcvttpd2uqq vcvttph2dq vcvttph2qq vcvttph2udq vcvttph2uqq vcvttph2uw vcvttph2w vcvttps2qq
vcvttps2udq vcvttps2uqq vcvttsd2usi vcvttsh2si vcvttsh2usi vcvttss2usi vcvtudq2pd vcvtudq2ph vcvtudq2phx vcvtudq2phy vcvtudq2ps vcvtuqq2pd vcvtuqq2ph
vcvtuqq2phx vcvtuqq2phy vcvtuqq2phz vcvtuqq2ps vcvtuqq2psx vcvtuqq2psy vcvtusi2sd vcvtusi2sh vcvtusi2ss vcvtuw2ph vcvtw2ph vdbpsadbw vdivph vdivsh
vdpbf16ps vendscaleph vendscalesh vexp2pd vexp2ps vexpandpd vexpandps vextractf32x4 vextractf32x8 vextractf64x2 vextractf64x4 vextracti32x4
vextracti32x8 vextracti64x2 vextracti64x4 vfcmaddcph vfcmaddcsh vfcmulcpch vfcmulcph vfcmulcsh vfixupimmpd vfixupimmps vfixupimmsd vfixupimmss
vfmadd123pd vfmadd123ps vfmadd123sd vfmadd123ss vfmadd132ph vfmadd132sh vfmadd213ph vfmadd213sh vfmadd231ph vfmadd231sh vfmadd312pd vfmadd312ps
vfmadd312sd vfmadd312ss vfmadd321pd vfmadd321ps vfmadd321sd vfmadd321ss vfmaddcph vfmaddcsh vfmaddpd vfmaddps vfmaddsd vfmaddss vfmaddsub123pd
vfmaddsub123ps vfmaddsub132ph vfmaddsub213ph vfmaddsub231ph vfmaddsub312pd vfmaddsub312ps vfmaddsub321pd vfmaddsub321ps vfmaddsubpd vfmaddsubps
vfmsub123pd vfmsub123ps vfmsub123sd vfmsub123ss vfmsub132ph vfmsub132sh vfmsub213ph vfmsub213sh vfmsub231ph vfmsub231sh vfmsub312pd vfmsub312ps
vfmsub312sd vfmsub312ss vfmsub321pd vfmsub321ps vfmsub321sd vfmsub321ss vfmsubadd123pd vfmsubadd123ps vfmsubadd132ph vfmsubadd213ph vfmsubadd231ph
vfmsubadd312pd vfmsubadd312ps vfmsubadd321pd vfmsubadd321ps vfmsubaddpd vfmsubaddps vfmsubpd vfmsubps vfmsubsd vfmsubss vfmulcpch vfmulcph vfmulcsh
vfnmadd123pd vfnmadd123ps vfnmadd123sd vfnmadd123ss vfnmadd132ph vfnmadd132sh vfnmadd213ph vfnmadd213sh vfnmadd231ph vfnmadd231sh vfnmadd312pd
vfnmadd312ps vfnmadd312sd vfnmadd312ss vfnmadd321pd vfnmadd321ps vfnmadd321sd vfnmadd321ss vfnmaddpd vfnmaddps vfnmaddsd vfnmaddss vfnmsub123pd
vfnmsub123ps vfnmsub123sd vfnmsub123ss vfnmsub132ph vfnmsub132sh vfnmsub213ph vfnmsub213sh vfnmsub231ph vfnmsub231sh vfnmsub312pd vfnmsub312ps
vfnmsub312sd vfnmsub312ss vfnmsub321pd vfnmsub321ps vfnmsub321sd vfnmsub321ss vfnmsubpd vfnmsubps vfnmsubsd vfnmsubss vfpclasspd vfpclasspdx
vfpclasspdy vfpclasspdz vfpclassph vfpclassphx vfpclassphy vfpclassphz vfpclassps vfpclasspsx vfpclasspsy vfpclasspsz vfpclasssd vfpclasssh vfpclassss
vfrczpd vfrczps vfrczsd vfrczss vgatherpf0dpd vgatherpf0dps vgatherpf0qpd vgatherpf0qps vgatherpf1dpd vgatherpf1dps vgatherpf1qpd vgatherpf1qps
vgetexppd vgetexpph vgetexpps vgetexpsd vgetexpsh vgetexpss vgetmantpd vgetmantph vgetmantps vgetmantsd vgetmantsh vgetmantss vgetmaxph vgetmaxsh
vgetminph vgetminsh vgf2p8affineinvqb vgf2p8affineqb vgf2p8mulb vinsertf32x4 vinsertf32x8 vinsertf64x2 vinsertf64x4 vinserti32x4 vinserti32x8
vinserti64x2 vinserti64x4 vldqqu vmaxph vmaxsh vmfunc vmgexit vminph vminsh vmovdqa32 vmovdqa64 vmovdqu16 vmovdqu32 vmovdqu64 vmovdqu8 vmovntqq
vmovqqa vmovqqu vmovsh vmovw vmulph vmulsh vp2intersectd vp2intersectq vp4dpwssd vp4dpwssds vpabsq vpandd vpandnd vpandnq vpandq vpblendmb vpblendmd
vpblendmq vpblendmw vpbroadcastmb2q vpbroadcastmw2d vpcmov vpcmpb vpcmpd vpcmpequb vpcmpequd vpcmpequq vpcmpequw vpcmpgeb vpcmpged vpcmpgeq vpcmpgeub
vpcmpgeud vpcmpgeuq vpcmpgeuw vpcmpgew vpcmpgtub vpcmpgtud vpcmpgtuq vpcmpgtuw vpcmpleb vpcmpled vpcmpleq vpcmpleub vpcmpleud vpcmpleuq vpcmpleuw
vpcmplew vpcmpltb vpcmpltd vpcmpltq vpcmpltub vpcmpltud vpcmpltuq vpcmpltuw vpcmpltw vpcmpneqb vpcmpneqd vpcmpneqq vpcmpnequb vpcmpnequd vpcmpnequq
vpcmpnequw vpcmpneqw vpcmpngtb vpcmpngtd vpcmpngtq vpcmpngtub vpcmpngtud vpcmpngtuq vpcmpngtuw vpcmpngtw vpcmpnleb vpcmpnled vpcmpnleq vpcmpnleub
vpcmpnleud vpcmpnleuq vpcmpnleuw vpcmpnlew vpcmpnltb vpcmpnltd vpcmpnltq vpcmpnltub vpcmpnltud vpcmpnltuq vpcmpnltuw vpcmpnltw vpcmpq vpcmpub vpcmpud
vpcmpuq vpcmpuw vpcmpw vpcomb vpcomd vpcomeqb vpcomeqd vpcomeqq vpcomequb vpcomequd vpcomequq vpcomequw vpcomeqw vpcomfalseb vpcomfalsed vpcomfalseq
vpcomfalseub vpcomfalseud vpcomfalseuq vpcomfalseuw vpcomfalsew vpcomgeb vpcomged vpcomgeq vpcomgeub vpcomgeud vpcomgeuq vpcomgeuw vpcomgew vpcomgtb
vpcomgtd vpcomgtq vpcomgtub vpcomgtud vpcomgtuq vpcomgtuw vpcomgtw vpcomleb vpcomled vpcomleq vpcomleub vpcomleud vpcomleuq vpcomleuw vpcomlew
vpcomltb vpcomltd vpcomltq vpcomltub vpcomltud vpcomltuq vpcomltuw vpcomltw vpcomneqb vpcomneqd vpcomneqq vpcomnequb vpcomnequd vpcomnequq vpcomnequw
vpcomneqw vpcompressb vpcompressd vpcompressq vpcompressw vpcomq vpcomtrueb vpcomtrued vpcomtrueq vpcomtrueub vpcomtrueud vpcomtrueuq vpcomtrueuw
vpcomtruew vpcomub vpcomud vpcomuq vpcomuw vpcomw vpconflictd vpconflictq vpdpbssd vpdpbssds vpdpbsud vpdpbsuds vpdpbusd vpdpbusds vpdpbuud vpdpbuuds
vpdpwssd vpdpwssds vpermb vpermi2b vpermi2d vpermi2pd vpermi2ps vpermi2q vpermi2w vpermil2pd vpermil2ps vpermt2b vpermt2d vpermt2pd vpermt2ps vpermt2q
vpermt2w vpermw vpexpandb vpexpandd vpexpandq vpexpandw vpextrq vphaddbd vphaddbq vphaddbw vphadddq vphaddubd vphaddubq vphaddubw vphaddudq vphadduwd
vphadduwq vphaddwd vphaddwq vphsubbw vphsubdq vphsubwd vpinsrq vplzcntd vplzcntq vpmacsdd vpmacsdqh vpmacsdql vpmacssdd vpmacssdqh vpmacssdql
vpmacsswd vpmacssww vpmacswd vpmacsww vpmadcsswd vpmadcswd vpmadd132ph vpmadd132sh vpmadd213ph vpmadd213sh vpmadd231ph vpmadd231sh vpmadd52huq
vpmadd52luq vpmaxsq vpmaxuq vpminsq vpminuq vpmovb2m vpmovd2m vpmovdb vpmovdw vpmovm2b vpmovm2d vpmovm2q vpmovm2w vpmovq2m vpmovqb vpmovqd vpmovqw
vpmovsdb vpmovsdw vpmovsqb vpmovsqd vpmovsqw vpmovswb vpmovusdb vpmovusdw vpmovusqb vpmovusqd vpmovusqw vpmovuswb vpmovw2m vpmovwb vpmsub132ph
vpmsub132sh vpmsub213ph vpmsub213sh vpmsub231ph vpmsub231sh vpmullq vpmultishiftqb vpnmadd132sh vpnmadd213sh vpnmadd231sh vpnmsub132sh vpnmsub213sh
vpnmsub231sh vpopcntb vpopcntd vpopcntq vpopcntw vpord vporq vpperm vprold vprolq vprolvd vprolvq vprord vprorq vprorvd vprorvq vprotb vprotd vprotq
vprotw vpscatterdd vpscatterdq vpscatterqd vpscatterqq vpshab vpshad vpshaq vpshaw vpshlb vpshld vpshldd vpshldq vpshldvd vpshldvq vpshldvw vpshldw
vpshlq vpshlw vpshrdd vpshrdq vpshrdvd vpshrdvq vpshrdvw vpshrdw vpshufbitqmb vpsllvw vpsraq vpsravq vpsravw vpsrlvw vpternlogd vpternlogq vptestmb
vptestmd vptestmq vptestmw vptestnmb vptestnmd vptestnmq vptestnmw vpxord vpxorq vrangepd vrangeps vrangesd vrangess vrcp14pd vrcp14ps vrcp14sd
vrcp14ss vrcp28pd vrcp28ps vrcp28sd vrcp28ss vrcpph vrcpsh vreducepd vreduceph vreduceps vreducesd vreducesh vreducess vrndscalepd vrndscaleph
vrndscaleps vrndscalesd vrndscalesh vrndscaless vrsqrt14pd vrsqrt14ps vrsqrt14sd vrsqrt14ss vrsqrt28pd vrsqrt28ps vrsqrt28sd vrsqrt28ss vrsqrtph
vrsqrtsh vscalefpd vscalefph vscalefps vscalefsd vscalefsh vscalefss vscatterdpd vscatterdps vscatterpf0dpd vscatterpf0dps vscatterpf0qpd
vscatterpf0qps vscatterpf1dpd vscatterpf1dps vscatterpf1qpd vscatterpf1qps vscatterqpd vscatterqps vshuff32x4 vshuff64x2 vshufi32x4 vshufi64x2 vsqrtph
vsqrtsh vsubph vsubsh vucomish wbnoinvd wrmsrlist wrmsrns wrpkru wrshr wrssd wrssq wrussd wrussq xabort xbegin xbts xcryptcbc xcryptcfb xcryptctr
xcryptecb xcryptofb xend xresldtrk xsha1 xsha256 xstore xstorerng xsusldtrk xtest
`;
export const OTHER_MNEMONICS: ReadonlySet<string> = new Set(NAMES.trim().split(/\s+/));
